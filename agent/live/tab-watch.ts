import type { Tab } from "../../src/contract/index.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";

const LIST_MS = 10_000;

/** The tabs as they are now, told anew whenever one of them opens, closes, gets another address or title, or becomes the one in use. */
export class TabWatch {
  #stops: (() => void)[] = [];
  #isAsking = false;
  #isStale = false;
  #opened = new Map<string, string>(); // tab -> the tab it was opened from, not yet told

  /** @param told gets the list, and of what opened since the last one the opener; no browser: no tabs */
  constructor(
    private readonly browser: Browser,
    private readonly told: (tabs: Tab[], openers: ReadonlyMap<string, string>) => void,
  ) {
    this.#stops.push(browser.subscribe(({ type }) => type !== "browser_starting" && this.#listen()));
    this.#listen();
  }

  /** Asks again, after whatever is asked now. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isAsking) void this.#ask();
  }

  end(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #listen(): void {
    for (const stop of this.#stops.splice(1)) stop();
    const running = this.browser.runningOrNull;
    if (running) this.#stops.push(...this.#follow(running));
    this.refresh();
  }

  #follow({ connection, tabs }: Running): (() => void)[] {
    const changed = ({ targetInfo: { type } }: { targetInfo: { type: string } }) => type === "page" && this.refresh();
    return [
      connection.on("Target.targetCreated", (event) => {
        const { targetId, openerId } = event.targetInfo;
        if (openerId !== undefined) this.#opened.set(targetId, openerId);
        changed(event);
      }),
      connection.on("Target.targetInfoChanged", changed),
      connection.on("Target.targetDestroyed", () => this.refresh()),
      tabs.onActive(() => this.refresh()),
    ];
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#isStale) {
      this.#isStale = false;
      const tabs = this.browser.runningOrNull?.tabs;
      // A browser that goes away says so by its own event.
      const list = await tabs?.list(AbortSignal.timeout(LIST_MS)).catch(() => null);
      const openers = this.#opened;
      this.#opened = new Map();
      this.told(list?.items ?? [], openers);
    }
    this.#isAsking = false;
  }
}
