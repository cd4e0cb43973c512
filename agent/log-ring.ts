/** The last lines of a log, in memory: nothing in the guest grows without bound. */
export class LogRing {
  #lines: string[] = [];
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** @param line with or without its newline; a line longer than the ring is cut. */
  push(line: string): void {
    const kept = line.trimEnd().slice(0, this.maxBytes);
    this.#lines.push(kept);
    this.#bytes += kept.length + 1;
    while (this.#bytes > this.maxBytes && this.#lines.length > 1) this.#bytes -= this.#lines.shift()!.length + 1;
  }

  /** @param lines how many of the last lines; default all. */
  text(lines = Number.POSITIVE_INFINITY): string {
    const last = lines < this.#lines.length ? this.#lines.slice(-lines) : this.#lines;
    return last.map((line) => `${line}\n`).join("");
  }
}
