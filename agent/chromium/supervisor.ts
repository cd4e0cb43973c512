import { rmSync } from "node:fs";
import { type BrowserEvent, HypeError, messageOf } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { Tabs } from "../browser/tabs.ts";
import { Connection } from "../cdp/connection.ts";
import { LogRing } from "../log-ring.ts";
import { OwnTargets } from "../state/own-targets.ts";
import { type Chromium, type LaunchSettings, launchChromium } from "./launch.ts";

/** Pause before each new start in a row of quick deaths, ms; the first is at once. */
const BACKOFF_MS = [0, 500, 1_000, 2_000, 5_000, 10_000];
/** A run this long ends a row of quick deaths. */
const STABLE_MS = 30_000;
/** After so many quick deaths in a row the profile itself is suspected and thrown away. */
const SUSPECT_PROFILE_AFTER = 3;
/** Between a dying browser's last socket and its end. */
const DYING_MS = 1_000;
/** A browser without its settings is better than none. */
const PREPARE_MS = 5_000;
/** For Chromium to write down what it keeps and leave, before it is killed. */
const LEAVE_MS = 5_000;
/** The same where what it writes down is to be kept. */
const FLUSH_MS = 60_000;
const CHROMIUM_LOG_BYTES = 256 * 1024;

/** A Chromium that is up, and what belongs to this run of it. */
export type Running = {
  chromium: Chromium;
  connection: Connection;
  tabs: Tabs;
  version: string;
  /** null until a renderer was looked at. */
  sandboxed: boolean | null;
};

/** Keeps one Chromium running and says how it is. */
export class Browser {
  readonly log = new LogRing(CHROMIUM_LOG_BYTES);
  /** Tabs the agent opens for its own work. */
  readonly own = new OwnTargets();
  restarts = 0;
  lastExit: string | null = null;
  /** Proxy on this machine that the next Chromium goes through. */
  proxyPort: number | null = null;
  #running: Running | null = null;
  #state: BrowserEvent = { type: "browser_starting", restarts: 0 };
  #listeners = new Set<(event: BrowserEvent) => void>();
  #preparations: ((devtools: URL) => Promise<unknown>)[] = [];
  #stop = new AbortController();
  /** How long a Chromium that was asked to go may take, ms; null: nobody asked it. */
  #leaveMs: number | null = null;
  /** While it is there no Chromium is started. */
  #closed: Promise<void> | null = null;
  #ended: Promise<void> | undefined;

  constructor(
    private readonly settings: LaunchSettings,
    private readonly agentLog: Log,
  ) {}

  /** Returns at once; listen to {@link Browser.subscribe} or wait with {@link Browser.ready}. */
  start(): void {
    this.#ended ??= this.#supervise();
  }

  /** Ends Chromium and everything it started; returns when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  get state(): BrowserEvent {
    return this.#state;
  }

  /** @throws HypeError `browser_unavailable` */
  get running(): Running {
    if (this.#running) return this.#running;
    const last = this.lastExit ? `; it ended last with: ${this.lastExit.split("\n")[0]}` : "";
    throw new HypeError("browser_unavailable", `Chromium is starting${last}`);
  }

  get runningOrNull(): Running | null {
    return this.#running;
  }

  /** What a new browser is given before anybody may use it. */
  beforeReady(prepare: (devtools: URL) => Promise<unknown>): void {
    this.#preparations.push(prepare);
  }

  /** @returns a function that stops listening. */
  subscribe(listener: (event: BrowserEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves true once Chromium is usable, false when the signal aborts first. */
  ready(signal: AbortSignal): Promise<boolean> {
    if (this.#running) return Promise.resolve(true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const onAbort = () => resolve(false);
    const unsubscribe = this.subscribe((event) => event.type === "browser_ready" && resolve(true));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    return promise.finally(() => {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
    });
  }

  /** Ends Chromium in good order and starts it anew, for what it takes at its start only: its tabs are gone. Returns when it is usable. */
  async relaunch(signal: AbortSignal): Promise<void> {
    await this.ready(signal);
    const { connection, chromium } = this.running;
    const again = Promise.withResolvers<void>();
    const unsubscribe = this.subscribe(() => {
      if (this.#running && this.#running.chromium !== chromium) again.resolve();
    });
    const onAbort = () => again.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#leaveMs = LEAVE_MS;
      connection.send("Browser.close", undefined).catch(() => {}); // a browser that does not hear is killed
      await Promise.race([chromium.exited, sleep(LEAVE_MS, signal)]);
      chromium.kill();
      if (signal.aborted) onAbort();
      await again.promise;
    } finally {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Ends Chromium in good order, so that all it keeps is on disk, and starts it anew when the work is done or failed; its tabs are
   * gone. One that was never started is started only when the work is done. Returns before it is usable.
   * @throws HypeError `operation_timeout` when Chromium does not end by itself, and whatever the work throws
   */
  async whileClosed<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (!this.#ended) {
      const done = await work();
      this.start();
      return done;
    }
    await this.ready(signal);
    signal.throwIfAborted();
    const { connection, chromium } = this.running;
    const closed = Promise.withResolvers<void>();
    this.#closed = closed.promise;
    this.#leaveMs = FLUSH_MS;
    try {
      connection.send("Browser.close", undefined).catch(() => {}); // its end is what counts
      const left = await Promise.race([chromium.exited, sleep(FLUSH_MS, signal).then(() => null)]);
      chromium.kill();
      await chromium.exited;
      signal.throwIfAborted();
      if (left === null)
        throw new HypeError("operation_timeout", `Chromium did not close by itself within ${FLUSH_MS} ms`);
      return await work();
    } finally {
      this.#closed = null;
      closed.resolve();
    }
  }

  async #supervise(): Promise<void> {
    for (let quickDeaths = 0; !this.#stop.signal.aborted;) {
      const startedAt = performance.now();
      this.#enter({ type: "browser_starting", restarts: this.restarts });
      if (this.#closed) await Promise.race([this.#closed, aborted(this.#stop.signal)]);
      if (this.#stop.signal.aborted) return;
      const reason = await this.#runOnce();
      this.#running = null;
      if (this.#stop.signal.aborted) return;
      if (this.#leaveMs !== null) {
        this.#leaveMs = null;
        continue;
      }
      quickDeaths = performance.now() - startedAt > STABLE_MS ? 0 : quickDeaths + 1;
      this.restarts += 1;
      this.lastExit = `${reason}\n${this.log.text(10)}`.trim();
      this.#enter({ type: "browser_died", reason: this.lastExit, restarts: this.restarts });
      this.agentLog.warn("Chromium died, starting it again", { reason, restarts: this.restarts });
      if (quickDeaths >= SUSPECT_PROFILE_AFTER) rmSync(this.settings.userDataDir, { recursive: true, force: true });
      await sleep(BACKOFF_MS[Math.min(Math.max(quickDeaths - 1, 0), BACKOFF_MS.length - 1)]!, this.#stop.signal);
    }
  }

  /** One life of Chromium. @returns how it ended, in words; never throws. */
  async #runOnce(): Promise<string> {
    try {
      const chromium = await launchChromium(
        { ...this.settings, proxyPort: this.proxyPort },
        (line) => this.log.push(line),
        this.#stop.signal,
      );
      // Also one that is not usable yet: stopped then, it would be served for ever.
      const end = () => chromium.kill();
      this.#stop.signal.addEventListener("abort", end, { once: true });
      try {
        if (this.#stop.signal.aborted) end();
        let reason: string | null = null;
        while (reason === null) reason = await this.#serve(chromium);
        return reason;
      } finally {
        this.#stop.signal.removeEventListener("abort", end);
        chromium.kill();
        await chromium.exited;
      }
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  /** One connection to a Chromium. @returns how Chromium ended, or null when only the connection was lost. */
  async #serve(chromium: Chromium): Promise<string | null> {
    const connection = await Connection.open(chromium.devtools);
    const { product } = await connection.send("Browser.getVersion", undefined);
    await this.#prepare(chromium);
    this.#running = { chromium, connection, tabs: new Tabs(connection, this.own), version: product, sandboxed: null };
    this.#enter({ type: "browser_ready", version: product, restarts: this.restarts });
    this.agentLog.info("Chromium is ready", { version: product, pid: chromium.pid });
    await Promise.race([chromium.exited, connection.closed]);
    this.#running = null;
    // A dying browser closes its sockets a moment before it is gone; a living one closes ours after a message beyond its limits.
    return await Promise.race([chromium.exited, Bun.sleep(this.#leaveMs ?? DYING_MS).then(() => null)]);
  }

  async #prepare({ devtools }: Chromium): Promise<void> {
    const prepared = Promise.all(this.#preparations.map((prepare) => prepare(devtools)));
    const patience = sleep(PREPARE_MS, this.#stop.signal).then(() => Promise.reject(new Error("it takes too long")));
    await Promise.race([prepared, patience]).catch((cause: unknown) =>
      this.agentLog.warn("the browser is without its settings", { cause }),
    );
  }

  #enter(event: BrowserEvent): void {
    this.#state = event;
    for (const listener of this.#listeners) listener(event);
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
