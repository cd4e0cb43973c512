import { HypeError, type Tab, type TabList } from "../../src/contract/index.ts";
import {
  CommandRefused,
  type Commands,
  type Connection,
  type Events,
  type Params,
  type Result,
} from "../cdp/connection.ts";

/** A tab we are attached to. Our session stays: only a session older than a page's endless loop can end that loop. */
export class TabSession {
  #crashed = false;
  #observers = 0;

  constructor(
    private readonly connection: Connection,
    readonly id: string,
    private readonly sessionId: string,
  ) {
    this.on("Inspector.targetCrashed", () => (this.#crashed = true));
    this.on("Inspector.targetReloadedAfterCrash", () => (this.#crashed = false));
  }

  /** @throws as {@link Connection.send} */
  async send<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    // Chromium leaves most commands to a dead renderer unanswered.
    if (this.#crashed && method !== "Page.navigate")
      throw new HypeError("tab_crashed", `the renderer of tab ${this.id} died`, { tab: this.id });
    return this.connection.send(method, params, { sessionId: this.sessionId, ...(signal ? { signal } : {}) });
  }

  /** Waits no longer than the tab and the signal last. @throws as {@link Connection.wait} */
  wait<T>(signal: AbortSignal, begin: (resolve: (value: T) => void) => void): Promise<T> {
    return this.connection.wait({ sessionId: this.sessionId, signal }, begin);
  }

  on<E extends keyof Events>(event: E, listener: (params: Events[E][0]) => void): () => void {
    return this.connection.on(event, listener, this.sessionId);
  }

  /**
   * Has the tab report navigations, loading and dialogs until released. Only while we need it: dialogs of a page that nobody
   * observes are dismissed by Chromium itself, and those of a page that others observe are theirs.
   * Nothing is waited for: while a navigation hangs Chromium answers no other command, and only the next navigation ends it.
   */
  observe(signal: AbortSignal): () => void {
    this.#observers += 1;
    const quietly = (promise: Promise<unknown>) => void promise.catch(() => {}); // the tab's fault shows in what follows
    quietly(this.send("Page.enable", undefined, signal));
    quietly(this.send("Page.setLifecycleEventsEnabled", { enabled: true }, signal));
    quietly(this.send("Network.enable", { maxTotalBufferSize: 0, maxResourceBufferSize: 0 }, signal));
    return () => {
      this.#observers -= 1;
      if (this.#observers > 0) return;
      quietly(this.send("Page.disable", undefined));
      quietly(this.send("Network.disable", undefined));
    };
  }

  /** Gives a crashed tab a new renderer; nothing to do for a living one. */
  async revive(signal: AbortSignal): Promise<void> {
    if (!this.#crashed) return;
    let stop = () => {};
    await this.wait<void>(signal, (resolve) => {
      stop = this.on("Inspector.targetReloadedAfterCrash", () => resolve());
      this.send("Page.navigate", { url: "about:blank" }, signal).catch(() => {}); // its failure shows as the caller's timeout
    }).finally(() => stop());
  }

  /** Address and title as the browser process knows them: no script of the page is asked. */
  async info(signal: AbortSignal): Promise<{ url: string; title: string }> {
    for (;;) {
      try {
        const { entries, currentIndex } = await this.send("Page.getNavigationHistory", undefined, signal);
        const entry = entries[currentIndex];
        return { url: entry?.url ?? "", title: entry?.title ?? "" };
      } catch (thrown) {
        // Between a renderer's commit and the browser's: "Not attached to an active page", for a moment.
        if (!(thrown instanceof CommandRefused)) throw thrown;
        await Bun.sleep(2);
      }
    }
  }
}

/** The tabs of one run of Chromium. */
export class Tabs {
  #sessions = new Map<string, Promise<TabSession>>();
  #lastUsed: string | undefined;

  constructor(private readonly connection: Connection) {
    connection.on("Target.targetDestroyed", ({ targetId }) => this.#sessions.delete(targetId));
    connection.on("Target.detachedFromTarget", ({ targetId }) => targetId && this.#sessions.delete(targetId));
  }

  async list(signal: AbortSignal): Promise<TabList> {
    const { targetInfos } = await this.connection.send("Target.getTargets", {}, { signal });
    const items: Tab[] = targetInfos
      .filter(({ type }) => type === "page")
      .map(({ targetId, url, title }) => ({ id: targetId, url, title }));
    return { items };
  }

  /**
   * The tab asked for, else the one used last, else the first page, else a new one.
   * @throws HypeError `tab_not_found`
   */
  async use(wanted: string | undefined, signal: AbortSignal): Promise<TabSession> {
    const known = wanted ?? this.#lastUsed;
    const id = known && this.#sessions.has(known) ? known : await this.#find(wanted, signal);
    const session = await this.#attach(id);
    this.#lastUsed = id;
    return session;
  }

  async #find(wanted: string | undefined, signal: AbortSignal): Promise<string> {
    const { items } = await this.list(signal);
    if (wanted !== undefined) {
      if (items.some(({ id }) => id === wanted)) return wanted;
      throw new HypeError("tab_not_found", `there is no tab ${wanted}`, { tab: wanted });
    }
    const found = items.find(({ id }) => id === this.#lastUsed) ?? items[0];
    if (found) return found.id;
    return (await this.connection.send("Target.createTarget", { url: "about:blank" }, { signal })).targetId;
  }

  #attach(id: string): Promise<TabSession> {
    let session = this.#sessions.get(id);
    if (!session) {
      session = this.connection.send("Target.attachToTarget", { targetId: id, flatten: true }).then(
        ({ sessionId }) => new TabSession(this.connection, id, sessionId),
        (thrown: unknown) => {
          this.#sessions.delete(id);
          if (thrown instanceof CommandRefused)
            throw new HypeError("tab_not_found", `there is no tab ${id}: ${thrown.detail}`, { tab: id });
          throw thrown;
        },
      );
      this.#sessions.set(id, session);
    }
    return session;
  }
}
