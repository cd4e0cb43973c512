import type { PageEvent } from "../../src/contract/index.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";

/**
 * Looks after something changed, ms: a page that is loading changes several times, and Chromium 156 often tells of no change when only
 * the title comes later (measured).
 */
const LOOKS_MS = [250, 1_000, 3_000];
const LIST_TIMEOUT_MS = 5_000;
const URL_CHARACTERS = 2_048;
const TITLE_CHARACTERS = 512;

/**
 * Tells which page the tab in use shows, at once and whenever that changes; nothing while nobody listens.
 * @returns a function that stops it.
 */
export function watchPage(browser: Browser, tell: (event: PageEvent) => void): () => void {
  let leave = () => {};
  let told = "";
  const look = async (running: Running) => {
    const { items } = await running.tabs.list(AbortSignal.timeout(LIST_TIMEOUT_MS));
    const shown = items.find(({ active }) => active);
    const event: PageEvent = {
      type: "page",
      url: (shown?.url ?? "").slice(0, URL_CHARACTERS),
      title: (shown?.title ?? "").slice(0, TITLE_CHARACTERS),
      tabs: items.length,
    };
    const text = JSON.stringify(event);
    if (text === told) return;
    told = text;
    tell(event);
  };
  const follow = () => {
    leave();
    const running = browser.runningOrNull;
    if (!running) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let first = true;
    const lookIn = ([ms, ...later]: readonly number[]) => {
      if (ms === undefined) return void (timer = undefined);
      timer = setTimeout(() => {
        first = false;
        look(running).catch(() => {}); // a browser that went away is told by its own event
        lookIn(later);
      }, ms);
    };
    const soon = () => {
      if (timer !== undefined && first) return; // the first look is still to come
      clearTimeout(timer);
      first = true;
      lookIn(LOOKS_MS);
    };
    const stops = [
      running.connection.on("Target.targetInfoChanged", soon),
      running.connection.on("Target.targetCreated", soon),
      running.connection.on("Target.targetDestroyed", soon),
      running.tabs.onUse(soon),
    ];
    leave = () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
    soon();
  };
  const unsubscribe = browser.subscribe(follow);
  follow();
  return () => {
    unsubscribe();
    leave();
  };
}
