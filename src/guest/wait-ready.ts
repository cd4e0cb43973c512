import { type AgentHealth, HypeError, messageOf } from "../contract/index.ts";
import { ConsoleHint } from "./console-hint.ts";
import type { Guest } from "./guest.ts";

/**
 * How long the console may stay silent before the door is knocked at all the same. A connection made before the guest's network is up
 * does harm: passt takes it and, when it is given up, spins on it at 100 % of a core for ten seconds (measured, version 2023-03).
 */
const SILENCE_MS = 20_000;
/** One knock. */
const KNOCK_MS = 5_000;
/** Between knocks at a door that was said to be open, and at one that never was. */
const RETRY_MS = 500;
const UNBIDDEN_RETRY_MS = 10_000;
/** For what the browser waits for, ms: a large profile, where the guest is emulated. */
const BEFORE_BROWSER_MS = 300_000;
/** One long poll; short enough to notice a guest that died in between. */
const POLL_MS = 10_000;

export type WaitReadyOptions = {
  /** The VM's console log, which may not exist yet: the agent's line in it says when to knock. */
  consoleLog: string;
  /** Knock after this time even if the console shows no such line, ms; default 20 s. */
  silenceMs?: number;
  /** For the whole wait, ms. */
  deadlineMs: number;
  signal: AbortSignal;
  /**
   * What the browser waits for, once the agent's door is open; again while the guest cannot be reached. It has its own time:
   * the deadline stands still.
   */
  beforeBrowser?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Called once when the agent's door answers and once when the browser is usable. */
  onPhase?: (phase: "agent" | "browser") => void;
};

/**
 * Waits until the VM is usable: its agent answers and Chromium's DevTools are ready.
 * @throws HypeError `boot_timeout` at the deadline, with what was seen last; `cancelled` when the signal aborts.
 */
export async function waitReady(guest: Guest, options: WaitReadyOptions): Promise<AgentHealth> {
  const startedAtMs = performance.now();
  let deadline = AbortSignal.timeout(options.deadlineMs);
  let signal = AbortSignal.any([options.signal, deadline]);
  using hint = new ConsoleHint(options.consoleLog);
  let last = "the console never showed that the agent's door is open";

  const tryUntil = async <T>(what: string, attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (thrown) {
        if (!signal.aborted) last = `${what}: ${messageOf(thrown)}`;
        if (hint.seen.aborted) await pause(RETRY_MS, [signal]);
        else await pause(UNBIDDEN_RETRY_MS, [signal, hint.seen]);
      }
    }
  };

  try {
    await pause(options.silenceMs ?? SILENCE_MS, [signal, hint.seen]);
    // Its word is taken for the phase: one request more takes half a second from Chromium's start in an emulated guest (measured).
    if (!hint.seen.aborted)
      await tryUntil("the agent", () => {
        const ends = [signal, AbortSignal.timeout(KNOCK_MS), ...(hint.seen.aborted ? [] : [hint.seen])];
        return guest.health(AbortSignal.any(ends));
      });
    options.onPhase?.("agent");
    if (options.beforeBrowser) {
      const leftMs = Math.max(1, options.deadlineMs - (performance.now() - startedAtMs));
      deadline = AbortSignal.timeout(BEFORE_BROWSER_MS);
      signal = AbortSignal.any([options.signal, deadline]);
      last = "the browser was not given what it waits for";
      await untilReached(options.beforeBrowser, signal);
      deadline = AbortSignal.timeout(leftMs);
      signal = AbortSignal.any([options.signal, deadline]);
    }
    const health = await tryUntil("Chromium", () => guest.ready(POLL_MS, signal));
    options.onPhase?.("browser");
    return health;
  } catch (thrown) {
    if (options.signal.aborted)
      throw new HypeError("cancelled", "waiting for the VM was cancelled", {}, { cause: thrown });
    if (!deadline.aborted) throw thrown;
    throw new HypeError("boot_timeout", `not usable within ${options.deadlineMs} ms; ${last}`, {}, { cause: thrown });
  }
}

/** @throws what the work throws, unless that is that the guest cannot be reached: an agent that died is started again. */
async function untilReached(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await work(signal);
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof HypeError) || thrown.code !== "guest_unreachable") throw thrown;
      await pause(RETRY_MS, [signal]);
    }
  }
}

/** Ends early when one of the signals aborts. */
async function pause(ms: number, ends: AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const early = AbortSignal.any(ends);
  early.addEventListener("abort", () => resolve(), { once: true });
  if (early.aborted) resolve();
  await promise;
  clearTimeout(timer);
}
