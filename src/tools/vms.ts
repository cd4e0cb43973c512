import * as v from "valibot";
import { CreateVm, HypeError, Labels, LIMITS, type Vm, VmName, VmStatus } from "../contract/index.ts";
import { confirm, vm } from "./fields.ts";
import { listed } from "./markdown.ts";
import { family, type ToolContext, type ToolResult } from "./tool.ts";
import { tellBoot, untilStatus } from "./vm-waits.ts";
import { brief, VmBrief, vmLine } from "./vm-words.ts";

const tool = family("vms");
const shown = (it: Vm, said?: string): ToolResult => ({ text: said ?? vmLine(it), structured: brief(it) });
const onVm = v.strictObject({ vm });
const wait = v.optional(v.pipe(v.boolean(), v.description("Until it runs; default true")), true);
const LISTED = 200;
/** Somebody else's boot is waited for; the engine ends it long before, milliseconds. */
const BOOT_MS = 3_600_000;
const LOST = "Its open pages, and logins that no profile holds, are lost.";

/** What is asked of the engine, told phase by phase while the caller waits. */
const booting = (context: ToolContext, ref: string, work: (signal: AbortSignal) => Promise<Vm>): Promise<Vm> =>
  tellBoot(context, ref, () => work(context.signal));

export const vmTools = [
  tool({
    name: "vm_list",
    title: "List VMs",
    description: "Lists the VMs (each is one isolated browser) with their status.",
    isDefault: true,
    input: v.strictObject({
      status: v.optional(VmStatus),
      label: v.optional(v.pipe(v.string(), v.maxLength(300), v.description("key or key=value"))),
    }),
    output: v.object({ vms: v.array(VmBrief), total: v.number() }),
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async (query, { house }) => {
      const { items, total } = house.list({ ...query, limit: String(LISTED) });
      const more = total > items.length ? `\n${total - items.length} more: ask by status or label.` : "";
      const text = items.length === 0 ? "There are no VMs. vm_create makes one." : listed(items.map(vmLine)) + more;
      return { text, structured: { vms: items.map(brief), total } };
    },
  }),
  tool({
    name: "vm_get",
    title: "Show a VM",
    description: "Status, size, labels and expiry of one VM; of a crashed one the reason.",
    isDefault: true,
    input: onVm,
    output: VmBrief,
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async (input, { house }) => shown(house.get(input.vm)),
  }),
  tool({
    name: "vm_create",
    title: "Create a VM",
    description:
      "Creates a VM with a fresh browser and waits until it can be used (seconds, minutes without KVM). A name that exists gives that VM.",
    isDefault: true,
    input: v.strictObject({
      name: v.optional(v.pipe(VmName, v.description("Lower case, digits, hyphens; default: made up"))),
      cpu_cores: v.optional(CreateVm.entries.cpu_cores.wrapped),
      memory_mb: v.optional(CreateVm.entries.memory_mb.wrapped),
      image: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
      ttl_seconds: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(LIMITS.ttl_seconds.min),
          v.maxValue(LIMITS.ttl_seconds.max),
          v.description("Deleted after"),
        ),
      ),
      labels: v.optional(Labels),
      profile: v.optional(v.pipe(VmName, v.description("Logged in as in this profile"))),
      wait,
    }),
    output: VmBrief,
    isIdempotent: true,
    handle: async ({ wait: isWaiting, name = `vm-${crypto.randomUUID().slice(0, 8)}`, ...rest }, context) => {
      const wanted = v.parse(CreateVm, { name, ...rest });
      const { house, signal } = context;
      try {
        const made = await booting(context, name, () => house.create(wanted, { wait: isWaiting, signal }));
        return shown(made, `Created ${vmLine(made)}`);
      } catch (thrown) {
        const there = thrown instanceof HypeError && thrown.code === "vm_name_taken" ? seen(context, name) : null;
        if (!there) throw thrown;
        const isComing = there.status === "creating" || there.status === "starting";
        const now =
          isWaiting && isComing
            ? await tellBoot(context, name, () =>
                untilStatus({ ...context, progress: () => {} }, name, "running", BOOT_MS),
              )
            : there;
        if (!now) throw thrown;
        return shown(now, `It is already there: ${vmLine(now)}`);
      }
    },
  }),
  tool({
    name: "vm_start",
    title: "Start a VM",
    description: "Starts a stopped or crashed VM with a fresh browser, waits until it can be used.",
    isDefault: true,
    input: v.strictObject({ vm, wait }),
    output: VmBrief,
    handle: async (input, context) =>
      shown(await booting(context, input.vm, (signal) => context.house.start(input.vm, { wait: input.wait, signal }))),
  }),
  tool({
    name: "vm_stop",
    title: "Stop a VM",
    description: "Stops a VM. Name and settings stay; open pages and logins that no profile holds are lost.",
    isDefault: true,
    isDefaultForOne: false,
    input: v.strictObject({ vm, force: v.optional(v.pipe(v.boolean(), v.description("At once"))), confirm }),
    output: VmBrief,
    effect: "destroy",
    isIdempotent: true,
    question: (input) => `Stop the VM ${input.vm}? ${LOST}`,
    handle: async (input, { house, signal }) =>
      shown(await house.stop(input.vm, { force: input.force ?? false, signal })),
  }),
  tool({
    name: "vm_restart",
    title: "Restart a VM",
    description: "Stops a VM and starts it with a fresh browser: what to do when it does not answer.",
    input: v.strictObject({ vm, wait, confirm }),
    output: VmBrief,
    effect: "destroy",
    question: (input) => `Restart the VM ${input.vm}? ${LOST}`,
    handle: async (input, context) =>
      shown(
        await booting(context, input.vm, (signal) => context.house.restart(input.vm, { wait: input.wait, signal })),
      ),
  }),
  tool({
    name: "vm_pause",
    title: "Pause a VM",
    description: "Freezes a running VM: it keeps its memory and uses no CPU. vm_resume lets it go on.",
    input: onVm,
    output: VmBrief,
    handle: async (input, { house }) => shown(await house.pause(input.vm)),
  }),
  tool({
    name: "vm_resume",
    title: "Resume a VM",
    description: "Lets a paused VM go on where it was.",
    input: onVm,
    output: VmBrief,
    handle: async (input, { house }) => shown(await house.resume(input.vm)),
  }),
  tool({
    name: "vm_wait",
    title: "Wait for a VM",
    description: "Waits until a VM has a status, e.g. running after vm_create with wait: false.",
    isDefault: true,
    input: v.strictObject({
      vm,
      status: v.optional(v.picklist(["running", "paused", "stopped", "crashed", "deleted"]), "running"),
      timeout_ms: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_600_000)), 120_000),
    }),
    output: v.object({ vm: v.nullable(VmBrief) }),
    effect: "read",
    isIdempotent: true,
    scope: "read",
    handle: async (input, context) => {
      const reached = await untilStatus(context, input.vm, input.status, input.timeout_ms);
      return {
        text: reached ? vmLine(reached) : `${input.vm} is deleted`,
        structured: { vm: reached && brief(reached) },
      };
    },
  }),
  tool({
    name: "vm_delete",
    title: "Delete a VM",
    description: "Deletes a VM and everything in it, for good.",
    isDefault: true,
    isDefaultForOne: false,
    input: v.strictObject({ vm, confirm }),
    output: v.object({ deleted: v.string() }),
    effect: "destroy",
    question: (input) => `Delete the VM ${input.vm} and everything in it? This cannot be undone.`,
    handle: async (input, { house }) => {
      const { name } = house.get(input.vm);
      await house.delete(name);
      return { text: `${name} is deleted`, structured: { deleted: name } };
    },
  }),
];

/** null when it is not there for this caller. */
function seen({ house }: ToolContext, name: string): Vm | null {
  try {
    return house.get(name);
  } catch {
    return null;
  }
}
