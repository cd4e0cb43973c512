import { messageOf } from "../../contract/index.ts";
import type { Store } from "../state/store.ts";
import { type Remembered, saveRemembered } from "./settings-file.ts";

/** Changes that follow each other are written together, milliseconds. */
const SETTLE_MS = 500;

/** Writes settings and history down a moment after they changed, and when the interface ends. */
export class SettingsKeeper implements Disposable {
  readonly #store: Store;
  readonly #path: string;
  readonly #unsubscribe: () => void;
  #written: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store, path: string) {
    this.#store = store;
    this.#path = path;
    this.#written = JSON.stringify(this.#now());
    // The store changes with every event: what is to be kept is looked at now and then only.
    this.#unsubscribe = store.subscribe(() => {
      this.#timer ??= setTimeout(() => this.#keep(), SETTLE_MS);
    });
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#keep();
  }

  #now(): Remembered {
    const { settings, history } = this.#store.state;
    return { settings, history };
  }

  /** Writes, where something changed. */
  #keep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#now();
    const text = JSON.stringify(now);
    if (text === this.#written) return;
    this.#written = text;
    try {
      saveRemembered(this.#path, now);
    } catch (thrown) {
      this.#store.toast("bad", `settings are not kept: ${messageOf(thrown)}`, true);
    }
  }
}
