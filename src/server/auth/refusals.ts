import type { NewAuditEntry } from "../../store/audit.ts";

/** How long refused calls of one caller are gathered, milliseconds. */
const WINDOW_MS = 60_000;
/** Unknown callers told apart within one window; the others are told as one. */
const MOST_STRANGERS = 50;

type Window = { last: NewAuditEntry; calls: number; isStranger: boolean; endsAtMs: number };

/**
 * Keeps a flood of refused calls from filling the audit: the first of a caller is told at once, the rest of its minute in one entry.
 * So refusals write at most two entries a minute per key and reason, and about a hundred for all strangers together.
 */
export class Refusals {
  readonly #windows = new Map<string, Window>();
  #strangers = 0;
  #timer: Timer | undefined;

  /** @param tell writes an entry. @param now milliseconds. */
  constructor(
    private readonly tell: (entry: NewAuditEntry) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param caller what the calls are gathered by. @param isStranger nobody knows who it is: its number is not bounded. */
  note(entry: NewAuditEntry, caller: string, isStranger: boolean): void {
    this.#sweep();
    const isOver = isStranger && !this.#windows.has(caller) && this.#strangers >= MOST_STRANGERS;
    const key = isOver ? "" : caller;
    const window = this.#windows.get(key);
    if (window) {
      window.last = isOver ? { ...entry, address: null } : entry;
      window.calls++;
      return;
    }
    if (isStranger) this.#strangers++;
    this.#windows.set(key, { last: entry, calls: 0, isStranger, endsAtMs: this.now() + WINDOW_MS });
    this.tell(entry);
    this.#timer ??= setTimeout(() => this.#sweepLater(), WINDOW_MS).unref();
  }

  /** Tells what was gathered, done or not. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sweep(Infinity);
  }

  #sweepLater(): void {
    this.#timer = undefined;
    this.#sweep();
    if (this.#windows.size > 0) this.#timer = setTimeout(() => this.#sweepLater(), WINDOW_MS).unref();
  }

  #sweep(at = this.now()): void {
    for (const [key, { last, calls, isStranger, endsAtMs }] of this.#windows) {
      if (endsAtMs > at) break; // the oldest comes first
      this.#windows.delete(key);
      if (isStranger) this.#strangers--;
      if (calls > 0) this.tell({ ...last, calls });
    }
  }
}
