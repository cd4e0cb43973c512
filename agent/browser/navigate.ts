import { HypeError, type Navigate, type Navigated } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { answerDialogs } from "./dialogs.ts";
import type { TabSession } from "./tabs.ts";

/** Names of Page.lifecycleEvent; a commit is told by Page.frameNavigated. */
const LIFECYCLE = { commit: null, domcontentloaded: "DOMContentLoaded", load: "load" } as const;

const TELL_EVENTS = ["Page.setLifecycleEventsEnabled", { enabled: true }] as const;
/** A page takes longer than this, or its events were lost. */
const ASK_AGAIN_MS = 500;

/**
 * Opens an address and waits as far as asked. A page that sends the browser on before it has loaded is followed.
 * @param note gets what happened beside the way (dialogs), for the log.
 * @throws HypeError `navigation_failed` with Chromium's own reason (net::ERR_…) | `operation_timeout`
 */
export async function navigate(
  tab: TabSession,
  request: Navigate,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<Navigated> {
  await tab.revive(signal);
  const watch = new NavigationWatch(tab);
  const stopAnswering = answerDialogs(tab, note);
  const release = tab.observe(signal);
  try {
    const { frameId, loaderId, errorText, isDownload } = await tab.send("Page.navigate", { url: request.url }, signal);
    if (errorText || isDownload)
      throw new HypeError("navigation_failed", `${request.url.slice(0, 2048)}: ${reason(errorText, isDownload)}`);
    const status = await (loaderId
      ? watch.reached(frameId, loaderId, request.wait_until, signal)
      : watch.jumped(frameId, signal));
    return { tab: tab.id, ...(await tab.info(signal)), status };
  } catch (thrown) {
    if (signal.aborted) tab.send("Page.stopLoading", undefined).catch(() => {});
    if (thrown instanceof CommandRefused)
      throw new HypeError(
        "navigation_failed",
        `${request.url.slice(0, 2048)}: ${thrown.detail}`,
        {},
        { cause: thrown },
      );
    throw thrown;
  } finally {
    stopAnswering();
    watch.stop();
    release();
  }
}

const reason = (errorText: string | undefined, isDownload: boolean | undefined): string =>
  isDownload ? "the address is a download, not a page" : errorText!;

/**
 * Remembers what a tab reports from before the navigation was ordered, so that nothing is missed between order and answer.
 * A renderer that learns of us only after its commit does not report that commit; the browser's own account of which navigation
 * was begun after which is complete.
 */
class NavigationWatch {
  #seen = new Map<string, Set<string>>(); // loader -> names of its lifecycle events
  #begun: { frameId: string; loaderId: string }[] = [];
  #committed = new Set<string>(); // loaders
  #jumped = new Set<string>(); // frames
  #status = new Map<string, number>(); // loader -> HTTP status of its document
  #look: () => unknown = () => {};
  #stops: (() => void)[];

  constructor(private readonly tab: TabSession) {
    this.#stops = [
      tab.on("Page.lifecycleEvent", ({ loaderId, name }) =>
        this.#note(() => this.#seen.set(loaderId, (this.#seen.get(loaderId) ?? new Set()).add(name))),
      ),
      tab.on("Page.frameStartedNavigating", (begun) => this.#note(() => this.#begun.push(begun))),
      tab.on("Page.frameNavigated", ({ frame }) => this.#note(() => this.#committed.add(frame.loaderId))),
      tab.on("Page.navigatedWithinDocument", ({ frameId }) => this.#note(() => this.#jumped.add(frameId))),
      tab.on("Network.responseReceived", ({ loaderId, type, response }) => {
        if (type === "Document" && /^https?:/.test(response.url)) this.#status.set(loaderId, response.status);
      }),
    ];
  }

  /**
   * Resolves when the document of `loaderId`, or the one that replaced it since, has come as far as asked.
   * @returns the HTTP status of that document; null where there was no HTTP: data:, about:.
   */
  async reached(
    frameId: string,
    loaderId: string,
    until: Navigate["wait_until"],
    signal: AbortSignal,
  ): Promise<number | null> {
    const event = LIFECYCLE[until];
    let arrived = loaderId;
    const condition = () => {
      arrived = this.#latest(frameId, loaderId);
      return event === null ? this.#isCommitted(arrived) : this.#seen.get(arrived)?.has(event) === true;
    };
    // The command has the present document's past events told again: those of a renderer that took us over in mid-load were lost.
    const again = setInterval(() => void this.tab.send(...TELL_EVENTS, signal).catch(() => {}), ASK_AGAIN_MS);
    try {
      await this.#until(signal, condition);
    } finally {
      clearInterval(again);
    }
    return this.#status.get(arrived) ?? null;
  }

  /** The document the frame holds now: of `loaderId`, or the newest that was begun after it and got there. */
  #latest(frameId: string, loaderId: string): string {
    const loaders = this.#begun.filter((begun) => begun.frameId === frameId).map((begun) => begun.loaderId);
    const later = loaders.slice(loaders.indexOf(loaderId) + 1);
    return later.findLast((loader) => this.#isCommitted(loader)) ?? loaderId;
  }

  /** Only a committed document has lifecycle events: they tell of a commit that was itself not reported. */
  #isCommitted(loaderId: string): boolean {
    return this.#committed.has(loaderId) || this.#seen.has(loaderId);
  }

  /** Resolves when the frame moved inside its document: there is no loader, and no load to wait for. */
  async jumped(frameId: string, signal: AbortSignal): Promise<null> {
    await this.#until(signal, () => this.#jumped.has(frameId));
    return null;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

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
