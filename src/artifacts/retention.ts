import { messageOf } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import type { Store } from "../store/store.ts";

/** setTimeout counts in 31 bits; a longer wait is looked at again in between. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Deleted in one go; others have a turn between two. */
const BATCH = 100;
/** Until what could not be deleted is tried again. */
const RETRY_MS = 60_000;

type Parts = {
  artifacts: { delete(id: string): void };
  store: Store;
  log: Log;
  clock: () => number;
};

/** Deletes artifacts whose time is over, with one timer for the nearest. */
export class Retention {
  readonly #parts: Parts;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Sets the timer for what expires next; call it when an artifact came that does. */
  arm(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    const [next] = this.#parts.store.artifacts.expiring(1);
    if (next) this.#wait(Date.parse(next.expires_at) - this.#parts.clock());
  }

  disarm(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#deleteDue(), Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  #deleteDue(): void {
    const { store, log } = this.#parts;
    try {
      const { deleted, failed } = this.#delete(store.artifacts.expiring(BATCH));
      if (deleted > 0) log.info(`${deleted} artifacts expired and were deleted`, { deleted });
      if (failed === 0) return this.arm();
    } catch (thrown) {
      log.warn(`artifacts that expired are looked for later: ${messageOf(thrown)}`);
    }
    this.#wait(RETRY_MS);
  }

  #delete(rows: readonly { id: string; expires_at: string }[]): { deleted: number; failed: number } {
    const { artifacts, log, clock } = this.#parts;
    let deleted = 0;
    let failed = 0;
    for (const { id, expires_at } of rows) {
      if (Date.parse(expires_at) > clock()) break;
      try {
        artifacts.delete(id);
        deleted++;
      } catch (thrown) {
        failed++;
        log.warn(`artifact ${id} expired and could not be deleted: ${messageOf(thrown)}`);
      }
    }
    return { deleted, failed };
  }
}
