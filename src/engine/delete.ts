import { HypeError } from "../contract/index.ts";
import { type Context, mustFind, throwIfCancelled } from "./context.ts";
import { remove } from "./release.ts";

/**
 * Deletes a VM from any state: what runs on it is cancelled, its processes ended, network and files removed, name and
 * address freed last. Returns when nothing is left.
 * @throws HypeError vm_not_found; network_failed and the like when something could not be removed (tried again by itself)
 */
export async function deleteVm(ctx: Context, ref: string, reason = "deleted"): Promise<void> {
  throwIfCancelled(ctx.closing.signal);
  const vm = mustFind(ctx, ref);
  ctx.locks.preempt(vm.id, "delete", new HypeError("cancelled", `${vm.name} was deleted`, { by: "delete" }));
  await ctx.locks.run(vm.id, async () => {
    const present = ctx.store.vms.find(vm.id); // a creation that was cancelled has undone itself
    if (present) await remove(ctx, present, reason);
  });
}
