import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { awaitUsable, bootTimes } from "./boot.ts";
import { mustFit } from "./capacity.ts";
import { cancelReason, type Context, mustFind } from "./context.ts";
import { halt } from "./crash.ts";
import { operate } from "./operate.ts";
import { holdings, release } from "./release.ts";
import { spawn } from "./spawn.ts";
import { mustAllow, record, transition } from "./states.ts";
import { stopUnderLock } from "./stop.ts";
import type { OperationOptions } from "./types.ts";

/**
 * Boots a VM that is stopped or crashed, as a new generation with a new secret.
 * @throws HypeError vm_not_found | vm_state_conflict | insufficient_* | profile_* | image_* | network_* | hypervisor_* | boot_* | cancelled
 */
export async function start(ctx: Context, ref: string, options: OperationOptions): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  mustAllow(vm, "start");
  return await operate(ctx, vm, options, (signal, begun) => startUnderLock(ctx, vm.id, signal, begun));
}

/** `intent` of a VM that is to start again once it is stopped. */
export const RESTART = "restart";

/** Stops a VM that runs, then boots it; nobody comes in between. A server that dies in between starts it when it is back. */
export async function restart(ctx: Context, ref: string, options: OperationOptions): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  mustAllow(vm, "restart");
  if (vm.status === "starting")
    ctx.locks.preempt(
      vm.id,
      "stop",
      new HypeError("cancelled", `${vm.name} was restarted while it was starting`, { by: "stop" }),
    );
  return await operate(ctx, vm, options, async (signal, begun) => {
    const { status } = mustFind(ctx, vm.id);
    if (status !== "stopped" && status !== "crashed")
      await stopUnderLock(ctx, vm.id, { force: false, operation: "restart", intent: RESTART, signal, begun });
    try {
      return await startUnderLock(ctx, vm.id, signal, begun);
    } catch (thrown) {
      record(ctx, vm.id, { intent: null });
      throw thrown;
    }
  });
}

export async function startUnderLock(
  ctx: Context,
  vmId: string,
  signal: AbortSignal,
  begun: (vm: Vm) => void,
): Promise<Vm> {
  const before = mustFind(ctx, vmId);
  mustAllow(before, "start");
  if (signal.aborted) throw cancelReason(signal);
  mustFit(ctx, before);
  if (before.profile !== null) ctx.profiles.mustBeUsable(before.profile);
  const { machine, attachment } = holdings(ctx, vmId);
  if (machine || attachment) await release(ctx, vmId); // what could not be freed when it ended
  const startedAtMs = ctx.clock();
  const vm = transition(ctx, vmId, "starting", {
    patch: {
      generation: before.generation + 1,
      status_reason: null,
      console_tail: null,
      boot_ms: null,
      browser_restarts: 0,
      intent: null,
    },
    data: { generation: before.generation + 1 },
  });
  begun(vm);
  try {
    const live = await spawn(ctx, vm, signal);
    return await awaitUsable(ctx, live, bootTimes(ctx, startedAtMs), signal);
  } catch (thrown) {
    const error = signal.aborted ? cancelReason(signal) : thrown;
    const leaveIt = error instanceof HypeError && error.code === "shutting_down" && ctx.live.has(vmId);
    const code = error instanceof HypeError ? error.code : "internal";
    if (mustFind(ctx, vmId).status === "starting" && !leaveIt)
      await halt(ctx, vm, `not started: ${messageOf(error)}`, code);
    throw error;
  }
}
