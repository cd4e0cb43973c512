import type { Protocol } from "devtools-protocol";
import type { TabEntry } from "../../src/contract/index.ts";
import { looks } from "../browser/looks.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

type Info = Protocol.Target.TargetInfo;
type Draft = Omit<TabEntry, "seq">;
const URL_CHARACTERS = 2_048;
const TITLE_CHARACTERS = 512;
const LIST_TIMEOUT_MS = 5_000;

/** Records what becomes of tabs. It rests on what Chromium tells of its own accord: a tab is asked nothing for it, and paid nothing. */
export class TabRecorder {
  #told = new Map<string, Draft>(); // by tab: its last entry
  #leave = () => {};
  /** Things happen in the order in which they were told, though it may take a moment to know whether a tab is ours. */
  #done: Promise<void> = Promise.resolve();

  constructor(
    private readonly browser: Browser,
    private readonly journal: Journal,
  ) {
    browser.subscribe(({ type }) => {
      const running = type === "browser_ready" ? browser.runningOrNull : null;
      this.#leave();
      if (running) return this.#follow(running);
      for (const tab of this.#told.keys()) this.#closed(tab); // they ended with Chromium
    });
  }

  #follow({ connection }: Running): void {
    let isOver = false;
    const then = (act: () => void) => (this.#done = this.#done.then(() => (isOver ? undefined : act())));
    const seen = (info: Info) => {
      if (info.type !== "page") return;
      const isOurs = this.browser.own.settled().then(() => this.browser.own.has(info.targetId));
      this.#done = this.#done.then(async () => {
        if (!(await isOurs) && !isOver) this.#seen(info);
      });
    };
    const lookAt = async () => {
      const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
      const { targetInfos } = await connection.send("Target.getTargets", {}, { signal });
      then(() => targetInfos.forEach((info) => this.#changed(info)));
    };
    const { soon, stop } = looks(() => void lookAt().catch(() => {})); // a browser that went away is told by its own event
    const stops = [
      connection.on("Target.targetCreated", ({ targetInfo }) => seen(targetInfo)),
      connection.on("Target.targetInfoChanged", ({ targetInfo }) => {
        then(() => this.#changed(targetInfo));
        soon();
      }),
      connection.on("Target.targetCrashed", ({ targetId }) => then(() => this.#ended(targetId, "crashed"))),
      connection.on("Target.targetDestroyed", ({ targetId }) => then(() => this.#closed(targetId))),
    ];
    this.#leave = () => {
      isOver = true;
      stop();
      for (const unlisten of stops) unlisten();
    };
    // Those that are there; those that went while there was no connection are not among them.
    connection.send("Target.getTargets", {}).then(
      ({ targetInfos }) => {
        then(() => {
          const there = new Set(targetInfos.map(({ targetId }) => targetId));
          for (const tab of this.#told.keys()) if (!there.has(tab)) this.#closed(tab);
        });
        targetInfos.forEach(seen);
        soon();
      },
      () => {}, // it went away
    );
  }

  #seen(info: Info): void {
    if (this.#told.has(info.targetId)) return this.#changed(info);
    this.#tell(info.targetId, { event: "opened", ...shown(info), opener: info.openerId ?? null });
  }

  /** Another address is another entry; a title that came later changes the one that is there. */
  #changed(info: Info): void {
    const last = this.#told.get(info.targetId);
    if (!last) return;
    const { url, title } = shown(info);
    if (url !== last.url) return this.#tell(info.targetId, { event: "navigated", url, title, opener: last.opener });
    if (title === last.title) return;
    const renewed = { ...last, title };
    this.#told.set(info.targetId, renewed);
    if (last.event !== "crashed") this.journal.record(renewed); // it says what the tab showed then
  }

  #closed(tab: string): void {
    this.#ended(tab, "closed");
    this.#told.delete(tab);
  }

  #ended(tab: string, event: "crashed" | "closed"): void {
    const last = this.#told.get(tab);
    if (last) this.#tell(tab, { event, url: last.url, title: last.title, opener: last.opener });
  }

  #tell(tab: string, what: Pick<Draft, "event" | "url" | "title" | "opener">): void {
    const entry: Draft = { id: this.journal.id("t"), tab, time: Date.now(), kind: "tab", ...what };
    this.#told.set(tab, entry);
    this.journal.record(entry);
  }
}

const shown = ({ url, title }: Info) => ({
  url: clipped(url, URL_CHARACTERS),
  title: clipped(title, TITLE_CHARACTERS),
});
