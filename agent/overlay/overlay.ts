import type { Protocol } from "devtools-protocol";
import { messageOf } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { Connection, type Events } from "../cdp/connection.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { OverlayTarget } from "./target.ts";

/** What lies over the tabs: emulation, observation, interception. */
export type Layer = {
  /** Whether it wants anything of any target now. */
  isWanted(): boolean;
  /** Orders for a new target; they are sent before it runs, and answered some time later. */
  attach(target: OverlayTarget): Promise<unknown>[];
  /** @param isGone it ended; else only our connection did, and the same tab comes again with the next one */
  detach(target: OverlayTarget, isGone: boolean): void;
  /** No tab lives on: the browser died. */
  forgetTabs(): void;
  /** Called once for each new connection: listeners for all targets at once. */
  connected?(connection: Connection, targetOf: (sessionId: string | undefined) => OverlayTarget | undefined): void;
};

const ATTACH: Protocol.Target.SetAutoAttachRequest = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true };
const KINDS = new Set(["page", "iframe", "worker", "shared_worker", "service_worker"]);

/**
 * A second connection to the browser, there only while a layer wants something: with it all sessions and what they changed come
 * and go at once, and nothing is paid while everything is off. New targets are held until they were given their settings; they
 * run on by themselves when this process dies, since Chromium ends what belongs to a lost connection.
 */
export class Overlay {
  #layers: Layer[] = [];
  #targets = new Map<string, OverlayTarget>();
  #open: Promise<Connection> | null = null;

  constructor(
    private readonly browser: Browser,
    private readonly log: Log,
  ) {
    browser.subscribe(({ type }) => {
      if (type === "browser_died") for (const layer of this.#layers) layer.forgetTabs();
    });
    browser.beforeReady((devtools) => this.refresh(devtools));
  }

  add(layer: Layer): void {
    this.#layers.push(layer);
  }

  get targets(): OverlayTarget[] {
    return [...this.#targets.values()];
  }

  /** Opens, or closes, as the layers want; resolves when every target that is there was given its orders. */
  async refresh(devtools?: URL): Promise<Connection | null> {
    if (!this.#layers.some((layer) => layer.isWanted())) {
      const open = this.#open;
      this.#open = null;
      const connection = await open?.catch(() => null); // it was lost before
      await connection?.close();
      if (connection) this.#closed(connection);
      return null;
    }
    this.#open ??= this.#connect(devtools ?? this.browser.running.chromium.devtools);
    const connection = await this.#open;
    await Promise.allSettled(this.targets.map(({ ready }) => ready));
    return connection;
  }

  /** Gives every target its orders. @returns what failed, and of which target */
  async order(
    orders: (target: OverlayTarget) => Promise<unknown>[],
  ): Promise<{ target: OverlayTarget; reason: unknown }[]> {
    const failed: { target: OverlayTarget; reason: unknown }[] = [];
    await Promise.all(
      this.targets.map(async (target) => {
        for (const result of await Promise.allSettled(orders(target)))
          if (result.status === "rejected") failed.push({ target, reason: result.reason });
      }),
    );
    return failed;
  }

  #reopen(): void {
    this.refresh().catch((cause: unknown) => this.log.warn("the tabs are without their settings", { cause }));
  }

  async #connect(devtools: URL): Promise<Connection> {
    let connection: Connection | undefined;
    try {
      connection = await Connection.open(devtools);
      const opened = connection;
      void connection.closed.then(() => {
        this.#closed(opened);
        if (this.browser.runningOrNull) this.#reopen(); // only this connection was lost
      });
      connection.on("Target.attachedToTarget", (event, parent) => void this.#attached(opened, event, parent));
      connection.on("Target.detachedFromTarget", ({ sessionId }) => this.#detached(sessionId, true));
      for (const layer of this.#layers)
        layer.connected?.(connection, (sessionId) => (sessionId ? this.#targets.get(sessionId) : undefined));
      await connection.send("Target.setAutoAttach", ATTACH);
      await this.browser.own.settled();
      return connection;
    } catch (thrown) {
      this.#open = null;
      await connection?.close().catch(() => {}); // it was lost
      throw thrown;
    }
  }

  #closed(connection: Connection): void {
    void this.#open?.then(
      (open) => open === connection && (this.#open = null),
      () => {},
    );
    for (const [sessionId, target] of this.#targets)
      if (target.connection === connection) this.#detached(sessionId, false);
  }

  async #attached(
    connection: Connection,
    { sessionId, targetInfo, waitingForDebugger }: Events["Target.attachedToTarget"][0],
    parent: string | undefined,
  ): Promise<void> {
    const send = (method: "Runtime.runIfWaitingForDebugger") =>
      connection.send(method, undefined, { sessionId }).catch(() => {}); // it ended meanwhile
    if (targetInfo.type === "page") await this.browser.own.settled();
    if (!KINDS.has(targetInfo.type) || this.browser.own.has(targetInfo.targetId)) {
      await send("Runtime.runIfWaitingForDebugger");
      connection.send("Target.detachFromTarget", { sessionId }).catch(() => {});
      return;
    }
    const tab = targetInfo.type === "page" ? targetInfo.targetId : (this.#targets.get(parent ?? "")?.tab ?? null);
    const { targetId, type, browserContextId, url } = targetInfo;
    const target = new OverlayTarget(connection, sessionId, targetId, type, tab, browserContextId, url);
    this.#targets.set(sessionId, target);
    const orders = this.#layers.filter((layer) => layer.isWanted()).flatMap((layer) => layer.attach(target));
    orders.push(target.send("Target.setAutoAttach", ATTACH));
    target.ready = Promise.allSettled(orders).then((results) => {
      const failed = results.find((result) => result.status === "rejected");
      if (failed && this.#targets.has(sessionId))
        this.log.info("a target was not given all its settings", { type, why: messageOf(failed.reason) });
    });
    if (waitingForDebugger) await send("Runtime.runIfWaitingForDebugger");
  }

  #detached(sessionId: string, isGone: boolean): void {
    const target = this.#targets.get(sessionId);
    if (!target) return;
    this.#targets.delete(sessionId);
    for (const layer of this.#layers) layer.detach(target, isGone);
  }
}
