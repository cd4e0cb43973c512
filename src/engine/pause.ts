import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { type Context, type LiveVm, mustFind } from "./context.ts";
import { operate } from "./operate.ts";
import { mustAllow, transition } from "./states.ts";
import { watchAgent } from "./supervise.ts";

/** Freezes the guest's CPUs; its memory stays. @throws HypeError vm_not_found | vm_state_conflict | hypervisor_failed */
export async function pause(ctx: Context, ref: string): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  mustAllow(vm, "pause");
  return await operate(ctx, vm, { yieldsTo: [] }, async () => {
    mustAllow(mustFind(ctx, vm.id), "pause");
    const live = mustHold(ctx, vm);
    live.watch?.abort(); // its silence from now on means nothing
    live.watch = null;
    try {
      await live.machine.pause();
    } catch (thrown) {
      watchAgent(ctx, live);
      throw thrown;
    }
    return transition(ctx, vm.id, "paused");
  });
}

/** Lets a paused guest go on, with the right time. @throws HypeError vm_not_found | vm_state_conflict | hypervisor_failed */
export async function resume(ctx: Context, ref: string): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  mustAllow(vm, "resume");
  return await operate(ctx, vm, { yieldsTo: [] }, async () => {
    mustAllow(mustFind(ctx, vm.id), "resume");
    const live = mustHold(ctx, vm);
    await live.machine.resume();
    return await afterResume(ctx, live);
  });
}

/** The guest's clock stood still while it was paused: TLS and cookies would notice. */
export async function afterResume(ctx: Context, live: LiveVm): Promise<Vm> {
  await live.guest
    .identity({ epoch_ms: ctx.clock() })
    .catch((thrown: unknown) =>
      ctx.log.warn(`the clock of a resumed VM could not be set: ${messageOf(thrown)}`, { vm: live.id }),
    );
  const vm = transition(ctx, live.id, "running");
  watchAgent(ctx, live);
  return vm;
}

function mustHold(ctx: Context, vm: Vm): LiveVm {
  const live = ctx.live.get(vm.id);
  if (!live)
    throw new HypeError("hypervisor_failed", `${vm.name}'s VMM is not in this server's hands`, { vm: vm.name });
  return live;
}
