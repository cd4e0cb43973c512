import type { Config } from "../config/load.ts";
import { HypeError, messageOf, type PageShown, type Vm } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import type { HypervisorDriver, Machine } from "../hypervisor/driver.ts";
import type { Jailer } from "../hypervisor/jail/jail.ts";
import type { BootableImage } from "../image/types.ts";
import type { Log } from "../log/log.ts";
import type { Network } from "../network/network.ts";
import type { Profiles } from "../profiles/profiles.ts";
import type { Store } from "../store/store.ts";
import type { EventBus } from "./event-bus.ts";
import type { VmLocks } from "./lock.ts";

/** Waiting times, milliseconds. */
export type Timing = {
  /** From asking the guest to power off until the VMM is ended. */
  stopGraceMs: number;
  /** How long the agent may be silent before its VM counts as crashed. */
  agentLostMs: number;
  /** Between two looks whether rows and machine still agree. */
  sweepMs: number;
  /** Between two events that tell of a VM's refused connections. */
  refusalsMs: number;
};
export const TIMING: Timing = { stopGraceMs: 10_000, agentLostMs: 30_000, sweepMs: 30_000, refusalsMs: 60_000 };

export type EngineOptions = {
  config: Config;
  log: Log;
  store: Store;
  /** A function is called at the first need and again after it failed: a server without a hypervisor still answers. */
  driver: HypervisorDriver | (() => Promise<HypervisorDriver>);
  network: Network;
  jailer: Jailer;
  images: { resolve(ref: string | null): Promise<BootableImage> };
  /** What browsers can be given; those of the store when not given. */
  profiles?: Pick<Profiles, "mustBeUsable" | "isWhole" | "give">;
  /** What this host has to give. */
  host?: { memoryTotalMb(): number; cpuCores(): number };
  timing?: Partial<Timing>;
  /** Milliseconds since 1970. */
  clock?: () => number;
};

/** A VM whose VMM this server holds in its hands. Replaced at every start. */
export type LiveVm = {
  readonly id: string;
  readonly machine: Machine;
  readonly guest: Guest;
  /** Fires, with a HypeError as reason, when this guest is not usable any more. */
  readonly gone: AbortController;
  /** Its browser may wait for a whole profile. */
  readonly awaitsProfile: boolean;
  /** Ends the watch over the agent; null while nobody watches it (booting, paused). */
  watch: AbortController | null;
  /** What its browser shows, as the guest says; kept in memory only: a page is nobody's but its user's. */
  page: PageShown | null;
};

/** What the engine's operations share. */
export type Context = Required<Omit<EngineOptions, "driver" | "timing">> & {
  readonly driver: () => Promise<HypervisorDriver>;
  readonly timing: Timing;
  readonly bus: EventBus;
  readonly locks: VmLocks;
  readonly live: Map<string, LiveVm>;
  /** Fires when this server lets go of its VMs. */
  readonly closing: AbortController;
  /** Work nobody waits for; awaited at shutdown. */
  readonly background: Set<Promise<unknown>>;
};

export const now = (ctx: Context): string => new Date(ctx.clock()).toISOString();

/** @throws HypeError vm_not_found */
export function mustFind(ctx: Context, ref: string): Vm {
  const vm = ctx.store.vms.find(ref);
  if (!vm) throw new HypeError("vm_not_found", `there is no VM ${ref}`, { vm: ref });
  return vm;
}

/** Goes on without anybody waiting. Failures users can meet stand in row and events already; others are bugs. */
export function inBackground(ctx: Context, what: string, work: Promise<unknown>): void {
  const task = work
    .catch((thrown: unknown) => {
      const expected = thrown instanceof HypeError && thrown.code !== "internal";
      ctx.log[expected ? "info" : "error"](`${what}: ${messageOf(thrown)}`, expected ? {} : { error: thrown });
    })
    .finally(() => ctx.background.delete(task));
  ctx.background.add(task);
}

/** Fires `gone` of a guest handle: whoever talks through it is told why. The first reason stays. */
export function declareGone(live: LiveVm, reason: string): void {
  live.gone.abort(new HypeError("vm_not_running", reason));
}

/** The reason of an aborted signal as one of our errors. */
export const cancelReason = (signal: AbortSignal): HypeError =>
  signal.reason instanceof HypeError
    ? signal.reason
    : new HypeError("cancelled", "the caller cancelled it", {}, { cause: signal.reason });

/** @throws HypeError cancelled (or the reason given) once the signal fired. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelReason(signal);
}

/**
 * What `work` gives, or the cancellation if that comes first; the work goes on for whoever else waits for it.
 * @throws HypeError cancelled (or the reason given), and whatever `work` throws.
 */
export async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = () => reject(cancelReason(signal));
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
