import { HypeError } from "../../src/contract/index.ts";
import { CommandRefused, Connection } from "../cdp/connection.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { Screen } from "./screen.ts";

type Entry = { users: number; screen: Promise<Screen> };

/**
 * The tabs that are watched or recorded now, over a connection of their own that is there only as long: with it goes everything that
 * watching changed.
 */
export class Screens {
  #open: Promise<Connection> | null = null;
  #entries = new Map<string, Entry>();

  constructor(private readonly browser: Browser) {}

  /**
   * @returns the tab's screen, and what gives it back
   * @throws HypeError `tab_not_found` | `browser_unavailable`
   */
  async take(tab: string): Promise<{ screen: Screen; release: () => void }> {
    let entry = this.#entries.get(tab);
    if (!entry) {
      entry = { users: 0, screen: this.#attach(tab) };
      this.#entries.set(tab, entry);
    }
    const taken = entry;
    taken.users += 1;
    let isTaken = true;
    const release = () => {
      if (isTaken) this.#release(tab, taken);
      isTaken = false;
    };
    try {
      const screen = await taken.screen;
      void screen.gone.then(() => this.#entries.get(tab) === taken && this.#entries.delete(tab));
      return { screen, release };
    } catch (thrown) {
      release();
      throw thrown;
    }
  }

  #release(tab: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (this.#entries.get(tab) === entry) this.#entries.delete(tab);
    void entry.screen.then(
      (screen) => screen.end(),
      () => {}, // it never was
    );
    if (this.#entries.size > 0) return;
    const open = this.#open;
    this.#open = null;
    void open?.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  async #attach(tab: string): Promise<Screen> {
    this.#open ??= this.#connect();
    const connection = await this.#open;
    try {
      const { sessionId } = await connection.send("Target.attachToTarget", { targetId: tab, flatten: true });
      return new Screen(connection, tab, sessionId);
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      throw new HypeError("tab_not_found", `there is no tab ${tab}: ${thrown.detail}`, { tab }, { cause: thrown });
    }
  }

  /** @throws HypeError `browser_unavailable` */
  #connect(): Promise<Connection> {
    const opening = Connection.open(this.browser.running.chromium.devtools);
    const forget = () => {
      if (this.#open === opening) this.#open = null;
    };
    void opening.then(({ closed }) => closed).then(forget, forget);
    return opening;
  }
}
