import type { Session } from "./session.ts";

/** A session nobody used for so long is over; its client opens another. */
export const IDLE_MS = 30 * 60_000;
/** Sessions at once, of all keys. */
export const MOST_SESSIONS = 1_000;
const SWEEP_MS = 60_000;

/** The sessions of the 2025 era: so many at most, and none for ever. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #sweeper: Timer | undefined;

  constructor(
    private readonly most = MOST_SESSIONS,
    private readonly idleMs = IDLE_MS,
  ) {}

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns null when there is none, or it is another key's */
  find(id: string, key: object): Session | null {
    const session = this.#sessions.get(id);
    return session?.key === key ? session : null;
  }

  /** Makes room if need be: the session idle longest ends. @returns false when all are busy */
  add(session: Session): boolean {
    if (this.#sessions.size >= this.most) {
      const [idlest] = [...this.#sessions.values()]
        .filter((it) => it.isIdle)
        .sort((a, b) => a.lastUsedAtMs - b.lastUsedAtMs);
      if (!idlest) return false;
      idlest.end();
    }
    this.#sessions.set(session.id, session);
    this.#sweeper ??= setInterval(() => this.sweep(), Math.min(SWEEP_MS, this.idleMs)).unref();
    return true;
  }

  remove(id: string): void {
    this.#sessions.delete(id);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  /** Ends what was idle too long. @param nowMs on the clock of `performance.now()` */
  sweep(nowMs = performance.now()): void {
    for (const session of [...this.#sessions.values()])
      if (session.isIdle && nowMs - session.lastUsedAtMs >= this.idleMs) session.end();
  }

  end(): void {
    for (const session of [...this.#sessions.values()]) session.end();
  }
}
