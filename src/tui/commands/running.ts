/** Commands of the palette that run, whether their pane is open or not. */
export class RunningCommands {
  readonly #all = new Map<AbortController, Promise<unknown>>();

  /** @param done settles when the command has ended and has undone what it was in the middle of */
  add(stop: AbortController, done: Promise<unknown>): void {
    this.#all.set(stop, done);
    void done.finally(() => this.#all.delete(stop));
  }

  /** Ends all of them as ctrl-c does, and waits for what they undo, but no longer than that. */
  async end(withinMs: number): Promise<void> {
    if (this.#all.size === 0) return;
    const ended = Promise.allSettled(this.#all.values());
    for (const stop of this.#all.keys()) stop.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([ended, promise]).finally(() => clearTimeout(timer));
  }
}
