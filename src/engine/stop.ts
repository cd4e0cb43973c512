import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { cancelReason, type Context, declareGone, type LiveVm, mustFind } from "./context.ts";
import { halt } from "./crash.ts";
import type { Preemptor } from "./lock.ts";
import { operate } from "./operate.ts";
import { mustAllow, type Operation, transition } from "./states.ts";
import type { OperationOptions } from "./types.ts";

/** The agent answers at once or not at all: it only has to say that it will. */
const POWER_OFF_REQUEST_MS = 3_000;

/**
 * Powers the guest off: by its agent, else by the power button, else by ending the VMM after the grace period.
 * A boot under way is broken off. With `force` the VMM is ended at once, also when a gentle stop is under way.
 * Once begun it is carried through, whoever goes away.
 * @throws HypeError vm_not_found | vm_state_conflict | cancelled (by a delete)
 */
export async function stop(ctx: Context, ref: string, options: OperationOptions & { force?: boolean }): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  const force = options.force === true;
  if (force && vm.status === "stopping") await ctx.live.get(vm.id)?.machine.kill();
  else mustAllow(vm, "stop");
  if (vm.status === "starting")
    ctx.locks.preempt(
      vm.id,
      "stop",
      new HypeError("cancelled", `${vm.name} was stopped while it was starting`, { by: "stop" }),
    );
  const yieldsTo: Preemptor[] = ["delete"];
  return await operate(ctx, vm, { wait: options.wait !== false, yieldsTo }, async (signal, begun) => {
    const present = mustFind(ctx, vm.id);
    if (present.status === "stopped") return present; // the boot broken off, or the stop hurried, got there first
    return await stopUnderLock(ctx, vm.id, { force, operation: "stop", intent: null, signal, begun });
  });
}

export async function stopUnderLock(
  ctx: Context,
  vmId: string,
  how: {
    force: boolean;
    operation: Operation;
    /** What is to follow, for a server that comes up after this one died. */
    intent: string | null;
    signal: AbortSignal;
    begun: (vm: Vm) => void;
  },
): Promise<Vm> {
  const before = mustFind(ctx, vmId);
  mustAllow(before, how.operation);
  const live = ctx.live.get(vmId);
  const vm = transition(ctx, vmId, "stopping", { patch: { intent: how.intent } });
  how.begun(vm);
  live?.watch?.abort();
  if (live) declareGone(live, `${vm.name} is being stopped`);
  let reason: string | null = null;
  if (live && !how.force && !(await powerOff(ctx, live, before.status === "paused", how.signal)))
    reason = `did not power off within ${ctx.timing.stopGraceMs} ms and was ended`;
  if (isTakenOver(how.signal)) throw cancelReason(how.signal);
  return await halt(ctx, vm, reason);
}

/** A delete or the next server finishes what was begun; any other cancellation would leave a VM half stopped. */
const isTakenOver = (signal: AbortSignal): boolean =>
  signal.aborted && (cancelReason(signal).details.by === "delete" || cancelReason(signal).code === "shutting_down");

/** Asks the guest to end. @returns false when it still runs after the grace period. */
async function powerOff(ctx: Context, live: LiveVm, paused: boolean, signal: AbortSignal): Promise<boolean> {
  const { promise: graceOver, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ctx.timing.stopGraceMs);
  const hurry = () => isTakenOver(signal) && resolve(false);
  signal.addEventListener("abort", hurry, { once: true });
  try {
    const asked = (async () => {
      if (paused) await live.machine.resume(); // a paused guest hears nothing
      await live.guest.powerOff(AbortSignal.timeout(POWER_OFF_REQUEST_MS)).catch(() => live.machine.powerButton());
    })();
    asked.catch((thrown: unknown) =>
      ctx.log.warn(`cannot ask the guest to power off: ${messageOf(thrown)}`, { vm: live.id }),
    );
    return await Promise.race([live.machine.exited.then(() => true), graceOver]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", hurry);
  }
}
