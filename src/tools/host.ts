import * as v from "valibot";
import { Activity, Image, LogSource, SystemStatus, type VmActivity } from "../contract/index.ts";
import { vm } from "./fields.ts";
import { cut, fenced, line, listed } from "./markdown.ts";
import { family } from "./tool.ts";

const tool = family("host");
const LOG_CHARACTERS = 20_000;
const METRICS_SHOWN = 200;

const activityLine = ({ name, cpu_percent: cpu, memory_mb: memory, page }: VmActivity): string => {
  const uses = `${name}: ${cpu === null ? "CPU not known yet" : `${cpu} % of a core`}, ${memory === null ? "memory not known" : `${memory} MB`}`;
  return page ? `${uses}, ${page.tabs} tabs, shows ${line(page.title, 100)} (${line(page.url, 300)})` : uses;
};

export const hostTools = [
  tool({
    name: "host_status",
    title: "Host status",
    description: "Free memory, CPU load, disk and number of VMs of the host: whether there is room for another VM.",
    isDefault: true,
    input: v.strictObject({}),
    output: v.object({ host: SystemStatus.entries.host, vms: SystemStatus.entries.vms }),
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async (_input, { house }) => {
      const { host, vms, hypervisor, version, default_image: image } = house.status();
      const text = listed([
        `Memory: ${host.memory_available_mb} MB free of ${host.memory_total_mb}; ${host.memory_committed_mb} promised to VMs`,
        `CPU: ${host.cpu_cores} cores, load ${host.load_average_1m}`,
        `Disk: ${host.disk_free_mb} MB free`,
        `VMs: ${vms.total}${
          vms.total > 0
            ? ` (${Object.entries(vms.by_status)
                .map(([status, count]) => `${count} ${status}`)
                .join(", ")})`
            : ""
        }`,
        `Hypervisor: ${hypervisor.name ?? "none"}${hypervisor.accelerator ? ` (${hypervisor.accelerator})` : ""}: ${hypervisor.reason}`,
        `Default image: ${image ?? "none"}; hype ${version}`,
      ]);
      return { text, structured: { host, vms } };
    },
  }),
  tool({
    name: "image_list",
    title: "List images",
    description: "Images a VM can be made from, with the version of their browser.",
    input: v.strictObject({}),
    output: v.object({ images: v.array(Image) }),
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async (_input, { house }) => {
      const images = house.images();
      const lines = images.map(
        ({ id, chromium_version: chromium, is_default: isDefault }) =>
          `${id}: Chromium ${chromium}${isDefault ? " (default)" : ""}`,
      );
      return { text: lines.length > 0 ? listed(lines) : "There are no images.", structured: { images } };
    },
  }),
  tool({
    name: "vm_metrics",
    title: "What VMs use",
    description: "CPU and memory the running VMs use now, and the page each shows.",
    input: v.strictObject({ vm: v.optional(v.pipe(vm, v.description("Default: all"))) }),
    output: Activity,
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async ({ vm: ref }, { house }) => {
      const wanted = ref === undefined ? null : house.get(ref);
      const { at, items: all } = house.activity();
      const items = wanted ? all.filter(({ id }) => id === wanted.id) : all;
      const nothing = wanted ? `${wanted.name} is ${wanted.status}: it uses nothing.` : "No VM runs.";
      return {
        text: items.length === 0 ? nothing : listed(items.slice(0, METRICS_SHOWN).map(activityLine)),
        structured: { at, items: items.slice(0, METRICS_SHOWN) },
      };
    },
  }),
  tool({
    name: "vm_logs",
    title: "Logs of a VM",
    description: "Last lines of a VM's log: console (its kernel), agent (what drives the browser) or vmm.",
    input: v.strictObject({
      vm,
      source: v.optional(LogSource, "console"),
      tail: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000), v.description("Lines")), 50),
    }),
    effect: "read",
    handle: async ({ vm: ref, source, tail }, { house, signal }) => {
      const text = await house.logs(ref, source, tail, signal);
      return { text: text === "" ? "The log is empty." : fenced(cut(text, LOG_CHARACTERS, "ask for fewer lines")) };
    },
  }),
];
