/** Lets works of known size begin only while all that is under way fits; the others wait in the order they came. */
export class Budget {
  readonly #waiting: { bytes: number; begin: () => void }[] = [];
  #used = 0;

  constructor(readonly limitBytes: number) {}

  /** One larger than the whole waits until it is alone. @throws the signal's reason when it aborts while waiting, and what `work` throws. */
  async run<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(bytes, signal);
    try {
      return await work();
    } finally {
      this.#used -= bytes;
      this.#next();
    }
  }

  async #turn(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const place = { bytes, begin: resolve };
    const leave = () => {
      const at = this.#waiting.indexOf(place);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(signal.reason);
      this.#next();
    };
    this.#waiting.push(place);
    signal.addEventListener("abort", leave, { once: true });
    this.#next();
    await promise.finally(() => signal.removeEventListener("abort", leave));
  }

  #next(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + first.bytes > this.limitBytes) return;
      this.#waiting.shift();
      this.#used += first.bytes;
      first.begin();
    }
  }
}
