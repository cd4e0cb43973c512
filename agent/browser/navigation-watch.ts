import type { Navigate, Navigated } from "../../src/contract/index.ts";
import type { TabSession } from "./tabs.ts";

type Until = Navigate["wait_until"];

/** Names of Page.lifecycleEvent; a commit is told by Page.frameNavigated. */
const LIFECYCLE = {
  commit: null,
  domcontentloaded: "DOMContentLoaded",
  load: "load",
  networkidle: "networkIdle",
} as const;

/** Chromium's reason where a navigation was given up, by whomever. No error page follows. */
export const ABORTED = "net::ERR_ABORTED";
const TELL_EVENTS = ["Page.setLifecycleEventsEnabled", { enabled: true }] as const;
/** A page takes longer than this, or its events were lost. */
const ASK_AGAIN_MS = 500;
/** Redirects kept of one navigation; Chromium itself gives up after 20. */
const MAX_REDIRECTS = 50;

/** How a navigation ended: what Navigated says of it besides the tab's address and title. */
export type Arrived = Pick<Navigated, "status" | "redirects" | "timings"> & { failure: string | null };

/**
 * Remembers what a tab reports from before the navigation was ordered, so that nothing is missed between order and answer.
 * A renderer that learns of us only after its commit does not report that commit; the browser's own account of which navigation
 * was begun after which is complete.
 */
export class NavigationWatch {
  #since = performance.now();
  #seen = new Map<string, Map<string, number>>(); // loader -> its lifecycle events and when they came
  #begun: { frameId: string; loaderId: string }[] = [];
  #requested = new Set<string>(); // frames whose page asked for another and whose navigation has not begun
  #stopped = new Set<string>(); // frames that load nothing any more, since their last navigation was begun
  #committed = new Map<string, number>(); // loader -> when
  #jumped = new Set<string>(); // frames
  #status = new Map<string, number>(); // loader -> HTTP status of its document
  #redirects = new Map<string, { url: string; status: number }[]>(); // loader -> answers that sent it on
  #failures = new Map<string, string>(); // loader -> Chromium's reason
  #look: () => unknown = () => {};
  #stops: (() => void)[];

  constructor(private readonly tab: TabSession) {
    this.#stops = [
      tab.on("Page.lifecycleEvent", ({ loaderId, name }) =>
        this.#note(() => {
          const seen = this.#seen.get(loaderId) ?? new Map<string, number>();
          if (!seen.has(name)) seen.set(name, this.#elapsed());
          this.#seen.set(loaderId, seen);
        }),
      ),
      tab.on("Page.frameRequestedNavigation", ({ frameId, disposition }) => {
        if (disposition === "currentTab") this.#requested.add(frameId);
      }),
      tab.on("Page.frameStartedNavigating", (begun) =>
        this.#note(() => {
          if (/sameDocument/i.test(begun.navigationType)) return; // its end is Page.navigatedWithinDocument
          this.#begun.push(begun);
          this.#requested.delete(begun.frameId);
          this.#stopped.delete(begun.frameId);
        }),
      ),
      tab.on("Page.frameStoppedLoading", ({ frameId }) =>
        this.#note(() => {
          this.#stopped.add(frameId);
          this.#requested.delete(frameId);
        }),
      ),
      tab.on("Page.frameNavigated", ({ frame }) =>
        this.#note(() => this.#committed.set(frame.loaderId, this.#elapsed())),
      ),
      tab.on("Page.navigatedWithinDocument", ({ frameId }) =>
        this.#note(() => {
          this.#jumped.add(frameId);
          this.#requested.delete(frameId);
        }),
      ),
      tab.on("Network.requestWillBeSent", ({ loaderId, type, redirectResponse }) => {
        if (type !== "Document" || !redirectResponse) return;
        const chain = this.#redirects.get(loaderId) ?? [];
        if (chain.length < MAX_REDIRECTS)
          chain.push({ url: redirectResponse.url.slice(0, 8_192), status: redirectResponse.status });
        this.#redirects.set(loaderId, chain);
      }),
      tab.on("Network.responseReceived", ({ loaderId, type, response }) => {
        if (type === "Document" && /^https?:/.test(response.url)) this.#status.set(loaderId, response.status);
      }),
      tab.on("Network.loadingFailed", ({ requestId, type, errorText }) => {
        if (type === "Document") this.#note(() => this.#failures.set(requestId, errorText)); // its request has the loader's id
      }),
    ];
  }

  /**
   * Resolves when the document of `loaderId`, or the one that replaced it since, has come as far as asked, or will not come.
   * The status is null where there was no HTTP: data:, about:.
   */
  async reached(frameId: string, loaderId: string, until: Until, signal: AbortSignal): Promise<Arrived> {
    const event = LIFECYCLE[until];
    let arrived = loaderId;
    const condition = () => {
      arrived = this.#latest(frameId, loaderId);
      if (this.#isGivenUp(frameId, arrived)) return true;
      return event === null ? this.#isCommitted(arrived) : this.#seen.get(arrived)?.has(event) === true;
    };
    // The command has the present document's past events told again: those of a renderer that took us over in mid-load were lost.
    const again = setInterval(() => void this.tab.send(...TELL_EVENTS, signal).catch(() => {}), ASK_AGAIN_MS);
    try {
      await this.#until(signal, condition);
    } finally {
      clearInterval(again);
    }
    return this.#account(arrived, loaderId);
  }

  /** Resolves when the frame moved inside its document: there is no loader, and no load to wait for. */
  async jumped(frameId: string, signal: AbortSignal): Promise<Arrived> {
    await this.#until(signal, () => this.#jumped.has(frameId));
    return this.#account("", "");
  }

  /** As {@link reached}, of a navigation whose loader the order did not name: reload, history. */
  async next(frameId: string, until: Until, signal: AbortSignal): Promise<Arrived> {
    const first = () => this.#begun.find((begun) => begun.frameId === frameId)?.loaderId;
    await this.#until(signal, () => this.#jumped.has(frameId) || first() !== undefined);
    const loaderId = first();
    return loaderId === undefined || this.#jumped.has(frameId)
      ? this.#account("", "")
      : this.reached(frameId, loaderId, until, signal);
  }

  /** Whether a navigation of the frame was asked for and has neither arrived nor ended (a download, no content, a failure). */
  isUnderWay(frameId: string): boolean {
    if (this.#requested.has(frameId)) return true;
    if (this.#stopped.has(frameId)) return false;
    const last = this.#begun.findLast((begun) => begun.frameId === frameId);
    return last !== undefined && !this.#isCommitted(last.loaderId) && !this.#failures.has(last.loaderId);
  }

  /** Whether any document that was begun has got there. */
  hasArrived(frameId: string): boolean {
    return this.#begun.some((begun) => begun.frameId === frameId && this.#isCommitted(begun.loaderId));
  }

  /** Resolves when no navigation of the frame is under way any more. */
  settled(frameId: string, signal: AbortSignal): Promise<void> {
    return this.#until(signal, () => !this.isUnderWay(frameId));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** The document the frame holds now: of `loaderId`, or the newest that was begun after it and got there. */
  #latest(frameId: string, loaderId: string): string {
    const loaders = this.#begun.filter((begun) => begun.frameId === frameId).map((begun) => begun.loaderId);
    const later = loaders.slice(loaders.indexOf(loaderId) + 1);
    return later.findLast((loader) => this.#isCommitted(loader)) ?? loaderId;
  }

  /** Answered, but given up before its commit, and nothing came after it. */
  #isGivenUp(frameId: string, loaderId: string): boolean {
    return this.#failures.get(loaderId) === ABORTED && !this.#isCommitted(loaderId) && this.#stopped.has(frameId);
  }

  /** Only a committed document has lifecycle events: they tell of a commit that was itself not reported. */
  #isCommitted(loaderId: string): boolean {
    return this.#committed.has(loaderId) || this.#seen.has(loaderId);
  }

  #account(arrived: string, ordered: string): Arrived {
    const seen = this.#seen.get(arrived);
    return {
      status: this.#status.get(arrived) ?? null,
      redirects: this.#redirects.get(arrived) ?? this.#redirects.get(ordered) ?? [],
      failure: this.#failures.get(arrived) ?? null,
      timings: {
        // A commit that went unreported was before whatever else was told of the document.
        commit_ms: least([this.#committed.get(arrived), ...(seen?.values() ?? [])]),
        domcontentloaded_ms: seen?.get("DOMContentLoaded") ?? null,
        load_ms: seen?.get("load") ?? null,
        total_ms: this.#elapsed(),
      },
    };
  }

  #elapsed = (): number => Math.round((performance.now() - this.#since) * 10) / 10;

  #until(signal: AbortSignal, condition: () => boolean): Promise<void> {
    return this.tab.wait(signal, (resolve) => {
      this.#look = () => condition() && resolve();
      this.#look();
    });
  }

  #note(change: () => void): void {
    change();
    this.#look();
  }
}

function least(times: (number | undefined)[]): number | null {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : null;
}
