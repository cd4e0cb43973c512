import type { Vm } from "../contract/index.ts";
import { type Context, inBackground, throwIfCancelled } from "./context.ts";
import type { Preemptor } from "./lock.ts";
import type { OperationOptions } from "./types.ts";

/**
 * Runs an operation under its VM's lock. `work` calls `begun` with the row that says what is intended: that is the answer
 * for a caller that does not wait, and the work goes on in the background.
 */
export async function operate(
  ctx: Context,
  vm: Vm,
  options: OperationOptions & { yieldsTo?: readonly Preemptor[] },
  work: (signal: AbortSignal, begun: (vm: Vm) => void) => Promise<Vm>,
): Promise<Vm> {
  throwIfCancelled(ctx.closing.signal);
  const { promise: intended, resolve: begun } = Promise.withResolvers<Vm>();
  const done = ctx.locks.run(vm.id, (signal) => work(signal, begun), {
    signal: options.signal,
    yieldsTo: options.yieldsTo ?? ["stop", "delete"],
  });
  if (options.wait !== false) return await done;
  inBackground(ctx, vm.name, done);
  return await Promise.race([intended, done]);
}
