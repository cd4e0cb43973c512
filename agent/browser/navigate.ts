import {
  HypeError,
  type Navigate,
  type Navigated,
  type OnTab,
  type Revisit,
  type TabState,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { answerDialogs } from "./dialogs.ts";
import { ABORTED, type Arrived, NavigationWatch } from "./navigation-watch.ts";
import type { TabSession } from "./tabs.ts";

/** Gets what happened beside the way (dialogs), for the log. */
type Note = (text: string) => void;
/** A navigation that was begun goes on for so long at most before a stop counts as done, ms. */
const STOP_MS = 2_000;
/** A page that never comes because renderers die under it is ordered so often. */
const MAX_ORDERS = 3;
/** One that came and died may have died of itself, or have got into the dying renderer of the page before. */
const MAX_ORDERS_ONCE_SEEN = 2;

/**
 * Opens an address and waits as far as asked. A page that sends the browser on before it has loaded is followed.
 * @throws HypeError `navigation_failed` with Chromium's own reason (net::ERR_…) | `url_not_allowed` | `operation_timeout`
 */
export async function navigate(
  tab: TabSession,
  request: Navigate,
  signal: AbortSignal,
  note: Note,
): Promise<Navigated> {
  mustBeAllowed(request.url);
  const shown = request.url.slice(0, 2048);
  return underWatch(tab, shown, signal, note, async (watch) => {
    const { frameId, loaderId, errorText, isDownload } = await tab.send("Page.navigate", { url: request.url }, signal);
    if (isDownload) throw new HypeError("navigation_failed", `${shown}: the address is a download, not a page`);
    // Without a loader it was for the renderer (chrome://crash), which may be dying of it.
    if (errorText === ABORTED && !loaderId) await tab.deaths(signal);
    if (errorText) throw failed(shown, errorText, loaderId);
    return loaderId ? watch.reached(frameId, loaderId, request.wait_until, signal) : watch.jumped(frameId, signal);
  });
}

/** @throws as {@link navigate} */
export async function reload(tab: TabSession, request: Revisit, signal: AbortSignal, note: Note): Promise<Navigated> {
  return underWatch(tab, "reload", signal, note, async (watch) => {
    await tab.send("Page.reload", { ignoreCache: request.ignore_cache }, signal);
    return watch.next(tab.id, request.wait_until, signal);
  });
}

/** One step in the tab's history. @throws HypeError `history_end`, and as {@link navigate} */
export async function goInHistory(
  step: -1 | 1,
  tab: TabSession,
  request: Revisit,
  signal: AbortSignal,
  note: Note,
): Promise<Navigated> {
  const { entries, currentIndex } = await tab.send("Page.getNavigationHistory", undefined, signal);
  const entry = entries[currentIndex + step];
  if (!entry)
    throw new HypeError("history_end", `tab ${tab.id} has no page to go ${step < 0 ? "back" : "forward"} to`, {
      tab: tab.id,
    });
  return underWatch(tab, entry.url.slice(0, 2048), signal, note, async (watch) => {
    await tab.send("Page.navigateToHistoryEntry", { entryId: entry.id }, signal);
    return watch.next(tab.id, request.wait_until, signal);
  });
}

/** Ends what the tab is loading; the page that was there stays, or as much of the new one as had come. */
export async function stopLoading(tab: TabSession, _request: OnTab, signal: AbortSignal): Promise<TabState> {
  // While a navigation hangs Chromium answers nothing else, yet this it does.
  await tab
    .send("Page.stopLoading", undefined, AbortSignal.any([signal, AbortSignal.timeout(STOP_MS)]))
    .catch((thrown: unknown) => {
      if (signal.aborted) throw thrown;
    });
  return { tab: tab.id, ...(await tab.info(signal)) };
}

async function underWatch(
  tab: TabSession,
  what: string,
  signal: AbortSignal,
  note: Note,
  order: (watch: NavigationWatch) => Promise<Arrived>,
): Promise<Navigated> {
  for (let orders = 1; ; orders++) {
    const { survived } = tab;
    const watch = new NavigationWatch(tab);
    const stopAnswering = answerDialogs(tab, note);
    const release = tab.observe(signal);
    try {
      const { failure, ...arrived } = await order(watch);
      const info = await tab.info(signal);
      if (failure) throw failed(what, failure, tab.id);
      return { tab: tab.id, ...info, ...arrived };
    } catch (thrown) {
      if (signal.aborted) tab.send("Page.stopLoading", undefined).catch(() => {});
      // The renderer died, perhaps of the page before, and took the one ordered with it.
      else if (isLost(thrown) && orders < (watch.hasArrived(tab.id) ? MAX_ORDERS_ONCE_SEEN : MAX_ORDERS))
        if ((await tab.deaths(signal)) > survived) continue;
      if (thrown instanceof CommandRefused)
        throw new HypeError("navigation_failed", `${what}: ${thrown.detail}`, {}, { cause: thrown });
      throw thrown;
    } finally {
      stopAnswering();
      watch.stop();
      release();
    }
  }
}

/** Ended by something else than its own answer. */
class Aborted extends HypeError {}

const isLost = (thrown: unknown): boolean =>
  thrown instanceof Aborted || (thrown instanceof HypeError && thrown.code === "tab_crashed");

/** @param document what was to come; without one it was an order to the page that is there */
const failed = (what: string, reason: string, document: string | undefined): HypeError =>
  new (reason === ABORTED && document ? Aborted : HypeError)("navigation_failed", `${what}: ${reason}`);

const REFUSED: Record<string, string> = {
  "javascript:": "a script is no page: use evaluate",
  "file:": "files of the guest are not opened in its browser",
};

/**
 * Read as Chromium reads it, which drops tabs and line ends anywhere, and control characters and blanks before the scheme (WHATWG URL, basic
 * URL parser), once more behind each `view-source:`.
 * @throws HypeError `url_not_allowed`
 */
export function mustBeAllowed(url: string): void {
  let bare = url.replace(/[\t\n\r]/g, "");
  // eslint-disable-next-line no-control-regex
  for (let before = ""; before !== bare;) bare = (before = bare).replace(/^[\u0000- ]*(?:view-source:)?/i, "");
  const protocol = URL.parse(bare)?.protocol ?? "";
  if (REFUSED[protocol]) throw new HypeError("url_not_allowed", `${url.slice(0, 200)}: ${REFUSED[protocol]}`);
}
