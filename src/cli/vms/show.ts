import type { Isolation } from "../../contract/isolation.ts";
import type { Vm, VmStatus } from "../../contract/vm.ts";
import type { Colours } from "../output/colours.ts";
import { sanitizeText } from "../../text/sanitize.ts";
import { pairs, table } from "../output/table.ts";
import { age, duration } from "../../text/units.ts";

const STATUS_COLOUR: Record<VmStatus, keyof Colours> = {
  creating: "blue",
  starting: "blue",
  running: "green",
  paused: "yellow",
  stopping: "yellow",
  stopped: "dim",
  crashed: "red",
  deleting: "yellow",
};

const labelsOf = (vm: Vm): string =>
  Object.entries(vm.labels)
    .map(([key, value]) => (value === "" ? key : `${key}=${value}`))
    .join(",");

const accelerationOf = (vm: Vm): string =>
  vm.accelerator === "kvm" ? "hardware virtualisation (KVM)" : "software emulation (TCG)";

export function vmTable(vms: Vm[], paint: Colours): string {
  return table(
    [
      { title: "NAME", value: (vm) => vm.name },
      { title: "STATUS", value: (vm) => vm.status, paint: (cell, vm) => paint[STATUS_COLOUR[vm.status]](cell) },
      { title: "ADDRESS", value: (vm) => vm.ip_address },
      { title: "CPU", value: (vm) => String(vm.cpu_cores), align: "right" },
      { title: "MB", value: (vm) => String(vm.memory_mb), align: "right" },
      { title: "BOOT", value: (vm) => (vm.boot_ms === null ? "-" : duration(vm.boot_ms)), align: "right" },
      { title: "AGE", value: (vm) => age(vm.created_at), align: "right" },
      { title: "LABELS", value: labelsOf },
    ],
    vms,
    paint.bold,
  );
}

/** What keeps the VMM in, and what this host could not give. */
const isolationOf = ({ uid, measures, missing }: Isolation): string =>
  [
    uid === null ? "the server's user" : `uid ${uid}`,
    ...measures.filter((measure) => measure !== "own-user"),
    ...(missing.length === 0 ? [] : [`missing: ${missing.map(({ measure }) => measure).join(", ")}`]),
  ].join(", ");

/** Everything about one VM, for people. */
export function vmDetails(vm: Vm, paint: Colours): string {
  const facts = pairs(
    [
      ["name", vm.name],
      ["id", vm.id],
      ["status", vm.status],
      ["reason", vm.status_reason],
      ["cpu cores", String(vm.cpu_cores)],
      ["memory", `${vm.memory_mb} MB`],
      ["address", vm.ip_address],
      ["image", vm.image],
      ["kernel cmdline", vm.kernel_cmdline],
      ["labels", labelsOf(vm) || null],
      ["keeps", vm.keep.join(", ") || null],
      ["hypervisor", vm.hypervisor && `${vm.hypervisor}, ${accelerationOf(vm)}`],
      ["network", vm.network && `${vm.network}, egress ${vm.egress_mode}`],
      ["jail", vm.isolation && isolationOf(vm.isolation)],
      ["process", vm.pid === null ? null : String(vm.pid)],
      ["boot", vm.boot_ms === null ? null : duration(vm.boot_ms)],
      ["starts", String(vm.generation)],
      ["control", vm.control && `${vm.control.label ?? "a person"}, since ${vm.control.since}`],
      ["browser restarts", vm.browser_restarts === 0 ? null : String(vm.browser_restarts)],
      ["expires", vm.expires_at],
      ["created", vm.created_at],
      ["started", vm.started_at],
    ],
    paint.dim,
  );
  if (!vm.console_tail) return facts;
  return `${facts}\n${paint.bold("last console lines")}\n${sanitizeText(vm.console_tail.trimEnd())}\n`;
}

/** What a person wants to know once a VM runs, and what to do next. */
export function vmReady(vm: Vm, paint: Colours): string {
  const boot = vm.boot_ms === null ? "" : `, usable after ${duration(vm.boot_ms)}`;
  return [
    `${paint.bold(vm.name)} is ${paint.green(vm.status)}: ${vm.cpu_cores} cpu, ${vm.memory_mb} MB, ${accelerationOf(vm)}${boot}`,
    `  hype open ${vm.name} https://example.com`,
    `  hype cdp ${vm.name}`,
    "",
  ].join("\n");
}
