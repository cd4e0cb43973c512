import { type ErrorCode, messageOf, type Vm } from "../contract/index.ts";
import { type Context, declareGone, mustFind } from "./context.ts";
import { consoleTail } from "./directories.ts";
import { release } from "./release.ts";
import { transition } from "./states.ts";

/**
 * Ends a VM that is not what it should be and keeps it with the reason; processes and network are freed, the lease is kept.
 * Call it under the VM's lock.
 * @param code what its boot failed with, where it did: it stands in the event.
 */
export async function crash(ctx: Context, vm: Pick<Vm, "id">, reason: string, code?: ErrorCode): Promise<Vm> {
  const tail = consoleTail(ctx, vm.id);
  return await end(ctx, vm.id, "crashed", { status_reason: reason, console_tail: tail }, code);
}

/** Ends a VM in good order: `stopped`. Call it under the VM's lock. @param code as with `crash` */
export const halt = (ctx: Context, vm: Pick<Vm, "id">, reason: string | null, code?: ErrorCode): Promise<Vm> =>
  end(ctx, vm.id, "stopped", { status_reason: reason, console_tail: null }, code);

async function end(
  ctx: Context,
  vmId: string,
  status: "crashed" | "stopped",
  why: { status_reason: string | null; console_tail: string | null },
  code?: ErrorCode,
): Promise<Vm> {
  const live = ctx.live.get(vmId);
  if (live) declareGone(live, why.status_reason ?? "the VM was stopped");
  // Better a row that tells the truth with something left to free (the sweep tries again) than a dead VM said to run.
  await release(ctx, vmId).catch((thrown: unknown) =>
    ctx.log.error(`${mustFind(ctx, vmId).name}: not all could be freed: ${messageOf(thrown)}`, {
      vm: vmId,
      error: thrown,
    }),
  );
  return transition(ctx, vmId, status, { patch: why, data: { reason: why.status_reason, ...(code ? { code } : {}) } });
}
