import { HypeError, type VmEvent } from "../contract/index.ts";
import type { Events } from "../store/events.ts";

/** A reader this many rows behind is cut: it would never catch up, and pruning would tear a hole in what it sees. */
export const SLOW_READER_ROWS = 10_000;
const PAGE_ROWS = 500;

/**
 * Tells subscribers that there are new rows; they read the rows themselves, each from its own place. So replay and live
 * are the same thing, nothing is missed or seen twice, and a slow reader costs no memory.
 */
export class EventBus {
  readonly #events: Events;
  #next = Promise.withResolvers<void>();

  constructor(events: Events) {
    this.#events = events;
  }

  /** Call after the transaction that appended rows was committed. */
  wake(): void {
    const woken = this.#next;
    this.#next = Promise.withResolvers();
    woken.resolve();
  }

  /**
   * Every event with `seq > after`, in order, until the signal fires.
   * @param after null: from now on. A number from another history (greater than the newest) means the same.
   * @throws HypeError reader_too_slow
   */
  subscribe(after: number | null, signal: AbortSignal): AsyncIterable<VmEvent> {
    const newest = this.#events.lastSeq(); // now, not at the first read
    return this.#read(Math.min(after ?? newest, newest), signal);
  }

  async *#read(start: number, signal: AbortSignal): AsyncGenerator<VmEvent> {
    let seen = start;
    let caughtUp = false;
    while (!signal.aborted) {
      const woken = this.#next.promise; // taken before reading: what comes in between is not slept through
      // While it replays old rows a reader may be far behind; afterwards it may not.
      if (caughtUp) this.#cutIfSlow(seen);
      const rows = this.#events.list({ after: seen, limit: PAGE_ROWS });
      for (const event of rows) {
        seen = event.seq;
        yield event;
        if (signal.aborted) return;
      }
      if (rows.length > 0) continue;
      caughtUp = true;
      await either(woken, signal);
    }
  }

  #cutIfSlow(seen: number): void {
    const behind = this.#events.lastSeq() - seen;
    if (behind > SLOW_READER_ROWS)
      throw new HypeError(
        "reader_too_slow",
        `the reader fell ${behind} events behind; ${SLOW_READER_ROWS} are allowed`,
        {
          last_seq: seen,
        },
      );
  }
}

/** Resolves on the first of both. The listener is taken off again: a subscription waits thousands of times on one signal. */
function either(woken: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  signal.addEventListener("abort", stop, { once: true });
  void woken.then(stop);
  if (signal.aborted) stop();
  return promise.finally(() => signal.removeEventListener("abort", stop));
}
