/** What one call costs: a key of `n` calls a minute earns `n` a millisecond, so that whole milliseconds stay whole numbers. */
const COST = 60_000;

/**
 * A token bucket: a key may spend a minute's calls at once, and gets them back one by one.
 * It costs two numbers and no timer.
 */
export class TokenBucket {
  #credit: number;
  #filledAtMs: number;

  /** @param perMinute calls a minute, and the most that may come at once. @param now milliseconds, growing. */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#credit = perMinute * COST;
    this.#filledAtMs = now();
  }

  /** Takes one call. @returns null, or the whole seconds until there is one again. */
  take(): number | null {
    const at = this.now();
    this.#credit = Math.min(this.perMinute * COST, this.#credit + (at - this.#filledAtMs) * this.perMinute);
    this.#filledAtMs = at;
    if (this.#credit < COST) return Math.ceil((COST - this.#credit) / this.perMinute / 1000);
    this.#credit -= COST;
    return null;
  }
}
