import type { PageEvent } from "../../src/contract/index.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";
import { looks } from "./looks.ts";

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
    // A browser that went away is told by its own event.
    const { soon, stop } = looks(() => void look(running).catch(() => {}));
    const stops = [
      running.connection.on("Target.targetInfoChanged", soon),
      running.connection.on("Target.targetCreated", soon),
      running.connection.on("Target.targetDestroyed", soon),
      running.tabs.onUse(soon),
    ];
    leave = () => {
      stop();
      for (const unlisten of stops) unlisten();
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
