import type { Commands, Connection, Params, Result } from "../cdp/connection.ts";

/** A dead renderer leaves commands unanswered. */
const COMMAND_MS = 10_000;
/** Chromium keeps no bodies for those who only want events. */
const NO_BUFFERS = { maxTotalBufferSize: 0, maxResourceBufferSize: 0 };
/** Domains that several layers need at once. */
export type SharedDomain = "Network" | "Page" | "Runtime" | "Log";

/** A page, frame or worker as the overlay sees it: one session of our own. */
export class OverlayTarget {
  #users = new Map<SharedDomain, Set<string>>();
  /** Settles when every layer's first orders were answered. */
  ready: Promise<unknown> = Promise.resolve();

  constructor(
    readonly connection: Connection,
    readonly sessionId: string,
    readonly targetId: string,
    readonly type: string,
    /** The tab it belongs to; null for workers that serve many. */
    readonly tab: string | null,
    readonly contextId: string | undefined,
    readonly url: string,
  ) {}

  get isTab(): boolean {
    return this.type === "page";
  }
  get isWorker(): boolean {
    return /worker/.test(this.type);
  }

  /** @throws as {@link Connection.send} */
  send<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    const patience = AbortSignal.timeout(COMMAND_MS);
    return this.connection.send(method, params, {
      sessionId: this.sessionId,
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  }

  /** An answer Chromium waits for: it is sent without a deadline, which ends with the session. */
  answer<M extends keyof Commands>(method: M, params: Params<M>): Promise<Result<M>> {
    return this.connection.send(method, params, { sessionId: this.sessionId });
  }

  /**
   * Keeps a domain enabled for `owner`; the commands go out in order, so that what follows may rely on it.
   * @param params of an owner that needs more than that; they hold for all owners
   */
  enable(domain: SharedDomain, owner: string, params?: object): Promise<unknown> {
    const users = this.#users.get(domain) ?? new Set();
    this.#users.set(domain, users);
    if (users.has(owner)) return Promise.resolve();
    const isFirst = users.size === 0;
    users.add(owner);
    const least = domain === "Network" ? NO_BUFFERS : {};
    return isFirst || params ? this.send(`${domain}.enable`, (params ?? least) as never) : Promise.resolve();
  }

  disable(domain: SharedDomain, owner: string): void {
    const users = this.#users.get(domain);
    if (users?.delete(owner) && users.size === 0) this.send(`${domain}.disable`, undefined).catch(() => {}); // it is gone
  }
}
