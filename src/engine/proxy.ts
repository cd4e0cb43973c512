import { HypeError, messageOf, type Proxy, shownProxy, type VmProxy, type VmProxyChanged } from "../contract/index.ts";
import { type Context, inBackground, type LiveVm, mustFind } from "./context.ts";
import { holdings } from "./release.ts";
import { record } from "./states.ts";

/** `intent` of a VM whose guest is being given another proxy: row and guest may differ. */
const CHANGING = "proxy";

/** The proxy of a VM's browser, without its password. @throws HypeError vm_not_found */
export function proxy(ctx: Context, ref: string): VmProxy {
  const { id, status } = mustFind(ctx, ref);
  const inForce = (status === "running" || status === "paused") && ctx.live.has(id);
  return { proxy: shownProxy(holdings(ctx, id).proxy), in_force: inForce };
}

/**
 * Gives a VM's browser another proxy, or none: at once where it runs, else from its next start. Row and guest agree afterwards,
 * also when one of them fails.
 * @throws HypeError vm_not_found | vm_state_conflict while it is paused | guest_unreachable | operation_timeout
 */
export async function setProxy(ctx: Context, ref: string, next: Proxy | null): Promise<VmProxyChanged> {
  const { id } = mustFind(ctx, ref);
  return await ctx.locks.run(id, (signal) => change(ctx, id, next, signal), { yieldsTo: ["stop", "delete"] });
}

async function change(ctx: Context, id: string, next: Proxy | null, signal: AbortSignal): Promise<VmProxyChanged> {
  const vm = mustFind(ctx, id);
  if (vm.status === "paused")
    throw new HypeError("vm_state_conflict", `${vm.name} is paused; its proxy can be set while it runs or is stopped`, {
      vm: vm.name,
      status: vm.status,
      allowed: ["running", "stopped", "crashed"],
    });
  const live = vm.status === "running" ? ctx.live.get(id) : undefined;
  const before = holdings(ctx, id).proxy;
  const give = (proxy: Proxy | null) =>
    live ? live.guest.setProxy(proxy, AbortSignal.any([signal, live.gone.signal])) : Promise.resolve(false);
  let restarted = false;
  try {
    if (live) record(ctx, id, { intent: CHANGING });
    restarted = await give(next);
    record(ctx, id, { proxy: next, intent: null }, "VM_PROXY_CHANGED", { proxy: shownProxy(next) });
  } catch (thrown) {
    await give(before).catch((worse: unknown) =>
      ctx.log.warn(`the proxy could not be set back: ${messageOf(worse)}`, { vm: id }),
    );
    record(ctx, id, { intent: null });
    throw thrown;
  }
  return { ...proxy(ctx, id), browser_restarted: restarted };
}

/** For a VM that is taken up: a server that died in the middle of a change leaves the guest with one proxy and the row with another. */
export function mendProxy(ctx: Context, live: LiveVm): void {
  const { intent, proxy: kept } = holdings(ctx, live.id);
  if (intent !== CHANGING) return;
  record(ctx, live.id, { intent: null });
  const mend = ctx.locks.run(live.id, async () => void (await live.guest.setProxy(kept, live.gone.signal)));
  inBackground(ctx, `giving ${live.id} the proxy of its row`, mend);
}

/** A booted guest gets its proxy before anybody may use its browser. @throws as {@link setProxy} */
export async function giveProxy(ctx: Context, live: LiveVm, signal: AbortSignal): Promise<void> {
  const { proxy: kept } = holdings(ctx, live.id);
  if (kept) await live.guest.setProxy(kept, signal);
}
