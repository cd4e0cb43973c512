import { messageOf } from "../contract/index.ts";
import { pageShown } from "./activity.ts";
import { BrowserWatch } from "./browser-watch.ts";
import { type Context, declareGone, inBackground, type LiveVm, mustFind } from "./context.ts";
import { crash, halt } from "./crash.ts";
import { exitReason } from "./exit-reason.ts";

/** One probe of a silent agent. */
const PROBE_TIMEOUT_MS = 5_000;
/** Between probes, and between two connections of an agent that hangs up at once. */
const PROBE_PAUSE_MS = 500;

const isCurrent = (ctx: Context, live: LiveVm): boolean => ctx.live.get(live.id) === live;

/** From now on the end of the VMM is seen: `stopped` when the guest powered itself off, else `crashed`. Ends we made ourselves are not judged. */
export function watchMachine(ctx: Context, live: LiveVm): void {
  void live.machine.exited.then((exit) => {
    if (!isCurrent(ctx, live)) return;
    const reason = exitReason(exit);
    declareGone(live, reason);
    const settle = ctx.locks.run(live.id, async () => {
      if (!isCurrent(ctx, live) || !isSupervised(ctx, live.id)) return;
      if (exit.guestShutdown && exit.guestFault === null) await halt(ctx, live, reason);
      else await crash(ctx, live, reason);
    });
    inBackground(ctx, `supervising ${live.id}`, settle);
  });
}

const isSupervised = (ctx: Context, vmId: string): boolean =>
  ["running", "paused"].includes(mustFind(ctx, vmId).status);

/** Listens to the agent until `live.watch` ends it. An agent that stays silent means a crashed VM, whatever its VMM does. */
export function watchAgent(ctx: Context, live: LiveVm): void {
  const watch = new AbortController();
  live.watch = watch;
  inBackground(ctx, `watching the agent of ${live.id}`, listen(ctx, live, watch.signal));
}

async function listen(ctx: Context, live: LiveVm, signal: AbortSignal): Promise<void> {
  const browser = new BrowserWatch(ctx, live.id);
  while (await reach(ctx, live, browser, signal)) {
    try {
      for await (const event of live.guest.events(signal)) {
        if (signal.aborted) return;
        if (event.type === "page") live.page = pageShown(event);
        else browser.note(event);
      }
    } catch (thrown) {
      if (!signal.aborted) ctx.log.debug(`the wire to the agent broke: ${messageOf(thrown)}`, { vm: live.id });
    }
    await pauseFor(PROBE_PAUSE_MS, signal);
  }
}

/** Probes the agent until it answers. @returns false when the watch is over, or the agent lost and its VM with it. */
async function reach(ctx: Context, live: LiveVm, browser: BrowserWatch, signal: AbortSignal): Promise<boolean> {
  const silentSinceMs = performance.now();
  while (!signal.aborted) {
    try {
      const probeMs = Math.min(PROBE_TIMEOUT_MS, ctx.timing.agentLostMs);
      const health = await live.guest.health(AbortSignal.any([signal, AbortSignal.timeout(probeMs)]));
      if (signal.aborted) return false;
      browser.connecting(health);
      return true;
    } catch (thrown) {
      if (signal.aborted) return false;
      if (performance.now() - silentSinceMs > ctx.timing.agentLostMs) {
        await loseAgent(ctx, live, messageOf(thrown), signal);
        return false;
      }
    }
    await pauseFor(PROBE_PAUSE_MS, signal);
  }
  return false;
}

async function loseAgent(ctx: Context, live: LiveVm, said: string, signal: AbortSignal): Promise<void> {
  await ctx.locks.run(live.id, async () => {
    // What had the lock until now may have stopped or paused it.
    if (signal.aborted || !isCurrent(ctx, live) || mustFind(ctx, live.id).status !== "running") return;
    await crash(ctx, live, `agent lost: no answer for ${Math.round(ctx.timing.agentLostMs / 1000)} s (${said})`);
  });
}

/** Waits, or less when the signal fires. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
}
