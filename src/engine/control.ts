import { type Control, HypeError, messageOf, type Vm } from "../contract/index.ts";
import { type Context, type LiveVm, mustFind, now } from "./context.ts";
import { record } from "./states.ts";

/** Whose hands a browser is in: a page of the live view by its link, or somebody the API named. */
export type ControlHolder = Pick<Control, "link" | "label">;

/** Guests whose end gives control back. */
const watched = new WeakSet<LiveVm>();

/**
 * Notes that a person has the browser in hand. Nothing is blocked by it: automation reads it from the row and the events.
 * What the API took for somebody may be taken up by any page.
 * @throws HypeError vm_not_found | vm_not_running | control_held
 */
export function takeControl(ctx: Context, ref: string, who: ControlHolder, force: boolean): Vm {
  const vm = mustFind(ctx, ref);
  const live = ctx.live.get(vm.id);
  if (vm.status !== "running" || !live || live.gone.signal.aborted)
    throw new HypeError("vm_not_running", `${vm.name} is ${vm.status}`, { vm: vm.name, status: vm.status });
  const before = vm.control;
  const isOffered = before?.link === null && who.link !== null;
  if (before && !force && !isOffered)
    throw new HypeError(
      "control_held",
      `${before.label ?? "somebody"} has control of ${vm.name} since ${before.since}`,
      {
        control: before,
      },
    );
  const label = who.label ?? (isOffered ? before.label : null);
  const control: Control = { holder: "human", link: who.link, label, since: now(ctx) };
  const taken = record(ctx, vm.id, { control }, "VM_CONTROL_TAKEN", { ...control, from: before });
  if (!watched.has(live)) {
    watched.add(live);
    live.gone.signal.addEventListener("abort", () => settle(ctx, vm.id, messageOf(live.gone.signal.reason)));
  }
  return taken;
}

/** Gives control back, whoever has it; harmless when nobody does. @throws HypeError vm_not_found */
export function returnControl(ctx: Context, ref: string, reason: string): Vm {
  const vm = mustFind(ctx, ref);
  if (vm.control === null) return vm;
  return record(ctx, vm.id, { control: null }, "VM_CONTROL_RETURNED", { ...vm.control, reason });
}

/** Pages do not outlive the server they talk to: control that stands in a row without a guest in our hands is nobody's. */
export function returnLostControl(ctx: Context): void {
  for (const vm of ctx.store.vms.all())
    if (vm.control !== null && !ctx.live.has(vm.id)) settle(ctx, vm.id, "the server was restarted");
}

/** A row that cannot be written (it is gone, the disk is full) must not stop what is going on; the next start looks again. */
function settle(ctx: Context, vmId: string, reason: string): void {
  try {
    if (ctx.store.vms.find(vmId)) returnControl(ctx, vmId, reason);
  } catch (thrown) {
    ctx.log.warn(`control could not be returned: ${messageOf(thrown)}`, { vm: vmId });
  }
}
