import { type GetBody, HypeError, type Observing, OBSERVED } from "../../src/contract/index.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import type { Layer, Overlay } from "../overlay/overlay.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import { recordConsole, recordException, recordLog } from "./console.ts";
import { Requests } from "./requests.ts";
import { Journal } from "./journal.ts";
import { listenToWebSockets } from "./web-sockets.ts";

type Kind = (typeof OBSERVED)[number];
const OWNER = "observer";
/** What Chromium keeps of bodies, bytes: of one renderer, of one body; and beyond the page they belong to. */
const BUFFERS = {
  maxTotalBufferSize: 32 * 1024 * 1024,
  maxResourceBufferSize: 16 * 1024 * 1024,
  enableDurableMessages: true,
};

/** Watches tabs on demand, and keeps the newest of what it saw. */
export class Observer implements Layer {
  readonly journal = new Journal();
  readonly #requests = new Requests(this.journal);
  #all = new Set<Kind>();
  #ofTab = new Map<string, Set<Kind>>();

  constructor(private readonly overlay: Overlay) {
    overlay.add(this);
  }

  isWanted(): boolean {
    return this.#all.size > 0 || [...this.#ofTab.values()].some(({ size }) => size > 0);
  }

  now(): Observing {
    return { all: [...this.#all], tabs: Object.fromEntries([...this.#ofTab].map(([tab, kinds]) => [tab, [...kinds]])) };
  }

  /** Resolves when nothing that happens from now on is missed. */
  async start(kinds: Kind[], tab: string | undefined): Promise<Observing> {
    const set = tab === undefined ? this.#all : (this.#ofTab.get(tab) ?? new Set());
    if (tab !== undefined) this.#ofTab.set(tab, set);
    for (const kind of kinds) set.add(kind);
    await this.#apply();
    return this.now();
  }

  /** Without a tab: for all, and for every tab by itself too. */
  async stop(kinds: Kind[], tab: string | undefined): Promise<Observing> {
    const sets = tab === undefined ? [this.#all, ...this.#ofTab.values()] : [this.#ofTab.get(tab) ?? new Set()];
    for (const set of sets) for (const kind of kinds) set.delete(kind);
    for (const [key, set] of this.#ofTab) if (set.size === 0) this.#ofTab.delete(key);
    await this.#apply();
    return this.now();
  }

  attach(target: OverlayTarget): Promise<unknown>[] {
    const orders: Promise<unknown>[] = [];
    if (this.#has(target, "console", "exception")) {
      orders.push(target.enable("Runtime", OWNER));
      if (!target.isWorker) orders.push(target.enable("Log", OWNER));
    } else {
      target.disable("Runtime", OWNER);
      target.disable("Log", OWNER);
    }
    if (this.#has(target, "request", "websocket")) orders.push(target.enable("Network", OWNER, BUFFERS));
    else target.disable("Network", OWNER);
    return orders;
  }

  detach(target: OverlayTarget, isGone: boolean): void {
    this.#requests.forget(target);
    if (target.isTab && isGone) this.#ofTab.delete(target.targetId);
  }

  forgetTabs(): void {
    this.#ofTab.clear();
  }

  connected(connection: Connection, find: (sessionId: string | undefined) => OverlayTarget | undefined): void {
    const observed = (sessionId: string | undefined, kind: Kind) => {
      const target = find(sessionId);
      return target && this.#has(target, kind) ? target : undefined;
    };
    connection.on("Runtime.consoleAPICalled", (event, sessionId) => {
      const target = observed(sessionId, "console");
      if (target) recordConsole(this.journal, target, event);
    });
    connection.on("Log.entryAdded", (event, sessionId) => {
      const target = observed(sessionId, "console");
      if (target) recordLog(this.journal, target, event);
    });
    connection.on("Runtime.exceptionThrown", (event, sessionId) => {
      const target = observed(sessionId, "exception");
      if (target) recordException(this.journal, target, event);
    });
    this.#requests.listen(connection, find, (target) => this.#has(target, "request"));
    listenToWebSockets(connection, this.journal, find, (target) => this.#has(target, "websocket"));
  }

  /** @throws HypeError `request_not_found` | `body_gone` */
  async body({ id, of }: Pick<GetBody, "id" | "of">, signal: AbortSignal): Promise<Buffer> {
    const tracked = this.#requests.tracked(id);
    if (!tracked) {
      if (this.journal.find(id, "request"))
        throw new HypeError("body_gone", `request ${id}: its page or worker is gone`);
      throw new HypeError("request_not_found", `no request ${id} was seen, or it was too long ago`);
    }
    const { target, requestId } = tracked;
    try {
      if (of === "request") {
        const { postData, base64Encoded } = await target.send("Network.getRequestPostData", { requestId }, signal);
        return Buffer.from(postData, base64Encoded ? "base64" : "utf8");
      }
      const { body, base64Encoded } = await target.send("Network.getResponseBody", { requestId }, signal);
      return Buffer.from(body, base64Encoded ? "base64" : "utf8");
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      throw new HypeError("body_gone", `request ${id} has no ${of} body that Chromium still holds: ${thrown.detail}`);
    }
  }

  async #apply(): Promise<void> {
    await this.overlay.refresh();
    await this.overlay.order((target) => this.attach(target)); // a target that refuses tells less
  }

  #has(target: OverlayTarget, ...kinds: Kind[]): boolean {
    const own = target.tab === null ? undefined : this.#ofTab.get(target.tab);
    return kinds.some((kind) => this.#all.has(kind) || own?.has(kind) === true);
  }
}
