import type { HypeError } from "../contract/index.ts";
import type { Session } from "./session.ts";

/** A session nobody used for so long is over; its client opens another. */
export const IDLE_MS = 30 * 60_000;
/** Sessions at once, of all keys and of one: no key takes the room of the others. */
export const MOST_SESSIONS = 1_000;
export const MOST_OF_A_KEY = 250;
const SWEEP_MS = 60_000;

/** The sessions of the 2025 era: so many at most, and none for ever. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #sweeper: Timer | undefined;

  constructor(
    private readonly most = MOST_SESSIONS,
    private readonly idleMs = IDLE_MS,
    private readonly mostOfKey = MOST_OF_A_KEY,
  ) {}

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns null when there is none, or it is another key's */
  find(id: string, key: object): Session | null {
    const session = this.#sessions.get(id);
    return session?.key === key ? session : null;
  }

  /**
   * Makes room if need be: of its key's sessions the one idle longest ends, or, where the key has none, one of whoever has most.
   * @returns false when all of those are busy
   */
  add(session: Session): boolean {
    const own = this.#of(session.key);
    if (own.length >= this.mostOfKey || this.#sessions.size >= this.most) {
      const idlest = idlestOf(own) ?? (own.length < this.mostOfKey ? idlestOf(this.#ofLargest()) : undefined);
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

  /** @param why what is under way is told; null: nobody waits for it */
  end(why: HypeError | null = null): void {
    for (const session of [...this.#sessions.values()]) session.end(why);
  }

  #of(key: object): Session[] {
    return [...this.#sessions.values()].filter((it) => it.key === key);
  }

  /** The sessions of the key that has most, among those with an idle one. */
  #ofLargest(): Session[] {
    const keys = new Set([...this.#sessions.values()].filter(({ isIdle }) => isIdle).map(({ key }) => key));
    return [...keys].map((key) => this.#of(key)).reduce<Session[]>((a, b) => (b.length > a.length ? b : a), []);
  }
}

const idlestOf = (sessions: Session[]): Session | undefined =>
  sessions.filter((it) => it.isIdle).sort((a, b) => a.lastUsedAtMs - b.lastUsedAtMs)[0];
