import { HypeError, type Tab, type TabList } from "../../src/contract/index.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import { OwnTargets } from "../state/own-targets.ts";
import { TabSession } from "./tab-session.ts";

export type { TabSession };

/** The tabs of one run of Chromium, whoever opened them. */
export class Tabs {
  #sessions = new Map<string, Promise<TabSession>>();
  #used: string | undefined;
  #onActive = new Set<() => void>();
  /** Is told of each context made here, before it has a tab. */
  onContext: (context: string) => void = () => {};
  readonly #whenUsed = new Set<() => void>();
  #contexts = new Set<string>(); // isolated ones that we made, and end with their last tab

  /** @param own tabs of the agent's own work, which are nobody's */
  constructor(
    private readonly connection: Connection,
    private readonly own = new OwnTargets(),
  ) {
    connection.on("Target.targetDestroyed", ({ targetId }) => {
      this.#sessions.delete(targetId);
      if (this.#contexts.size > 0) void this.#disposeEmpty();
    });
    connection.on("Target.detachedFromTarget", ({ targetId }) => targetId && this.#sessions.delete(targetId));
  }

  /**
   * @param listener is called when another tab becomes the one that operations without a tab use
   * @returns a function that stops listening
   */
  onActive(listener: () => void): () => void {
    this.#onActive.add(listener);
    return () => void this.#onActive.delete(listener);
  }

  get #lastUsed(): string | undefined {
    return this.#used;
  }
  set #lastUsed(id: string | undefined) {
    if (id === this.#used) return;
    this.#used = id;
    for (const listener of this.#onActive) listener();
  }

  async list(signal: AbortSignal): Promise<TabList> {
    const [pages, { browserContextIds }] = await Promise.all([
      this.#pages(signal),
      this.connection.send("Target.getBrowserContexts", undefined, { signal }),
    ]);
    const active = pages.find(({ targetId }) => targetId === this.#lastUsed) ?? pages[0];
    const items = pages.map((page): Tab => {
      const context = browserContextIds.find((id) => id === page.browserContextId) ?? null;
      return {
        id: page.targetId,
        url: page.url,
        title: page.title,
        active: page === active,
        isolated: context !== null,
        context,
        opener: page.openerId ?? null,
      };
    });
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
    this.#use(id);
    return session;
  }

  /**
   * A new, empty tab.
   * @param within the browser context it is to belong to; "new": one of its own; null: the browser's own
   * @throws HypeError `tab_not_found` when there is no such context
   */
  async open(
    within: string | "new" | null,
    background: boolean,
    signal: AbortSignal,
  ): Promise<{ tab: TabSession; context: string | null }> {
    const context = within === "new" ? await this.#newContext(signal) : within;
    try {
      const { targetId } = await this.connection.send(
        "Target.createTarget",
        { url: "about:blank", background, ...(context === null ? {} : { browserContextId: context }) },
        { signal },
      );
      return { tab: await this.#attach(targetId), context };
    } catch (thrown) {
      if (within === "new") void this.#disposeEmpty();
      if (thrown instanceof CommandRefused)
        throw new HypeError(
          "tab_not_found",
          `no tab opens in context ${context}: ${thrown.detail}`,
          {},
          { cause: thrown },
        );
      throw thrown;
    }
  }

  /** Makes a tab the one that operations without a tab use. */
  prefer({ id }: TabSession): void {
    this.#use(id);
  }

  /** Is called when another tab becomes the one in use. @returns a function that stops it. */
  onUse(listener: () => void): () => void {
    this.#whenUsed.add(listener);
    return () => void this.#whenUsed.delete(listener);
  }

  /** Brings a tab to the front and makes it the one that operations without a tab use. @throws HypeError `tab_not_found` */
  async activate(id: string, signal: AbortSignal): Promise<void> {
    await this.connection.send("Target.activateTarget", { targetId: id }, { signal });
    this.#use(id);
  }

  /** Ends a tab, whatever its page is doing. Chromium would end with its last tab: that one gets an empty successor first. */
  async close(id: string, signal: AbortSignal): Promise<void> {
    const pages = await this.#pages(signal);
    if (!pages.some(({ targetId }) => targetId === id)) throw notFound(id);
    if (pages.length === 1) await this.connection.send("Target.createTarget", { url: "about:blank" }, { signal });
    let stop = () => {};
    const gone = this.connection.wait<void>({ signal }, (resolve) => {
      stop = this.connection.on("Target.targetDestroyed", ({ targetId }) => targetId === id && resolve());
    });
    try {
      await Promise.all([gone, this.connection.send("Target.closeTarget", { targetId: id }, { signal })]);
      if (this.#lastUsed === id) this.#lastUsed = undefined;
    } catch (thrown) {
      if (thrown instanceof CommandRefused) throw notFound(id);
      throw thrown;
    } finally {
      stop();
      gone.catch(() => {}); // when closing failed first, nobody waits for it
    }
  }

  #use(id: string): void {
    if (this.#lastUsed === id) return;
    this.#lastUsed = id;
    for (const listener of this.#whenUsed) listener();
  }

  async #pages(signal?: AbortSignal) {
    const { targetInfos } = await this.connection.send("Target.getTargets", {}, signal ? { signal } : {});
    await this.own.settled();
    return targetInfos.filter(({ type, targetId }) => type === "page" && !this.own.has(targetId));
  }

  async #newContext(signal: AbortSignal): Promise<string> {
    const { browserContextId } = await this.connection.send("Target.createBrowserContext", {}, { signal });
    this.#contexts.add(browserContextId);
    this.onContext(browserContextId);
    return browserContextId;
  }

  async #disposeEmpty(): Promise<void> {
    try {
      const inUse = new Set((await this.#pages()).map(({ browserContextId }) => browserContextId));
      for (const context of this.#contexts) {
        if (inUse.has(context) || !this.#contexts.delete(context)) continue;
        await this.connection.send("Target.disposeBrowserContext", { browserContextId: context });
      }
    } catch {
      // the browser went away, and its contexts with it
    }
  }

  async #find(wanted: string | undefined, signal: AbortSignal): Promise<string> {
    const pages = await this.#pages(signal);
    if (wanted !== undefined) {
      if (pages.some(({ targetId }) => targetId === wanted)) return wanted;
      throw notFound(wanted);
    }
    const found = pages.find(({ targetId }) => targetId === this.#lastUsed) ?? pages[0];
    if (found) return found.targetId;
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

const notFound = (id: string) => new HypeError("tab_not_found", `there is no tab ${id}`, { tab: id });
