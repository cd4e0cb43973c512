import { openSync, writeSync } from "node:fs";
import { setNonBlocking } from "./libc.ts";

/** Events as pretty-printed objects, each followed by an empty line; the file is made or cut at start. */
export class EventMonitor {
  readonly #startedNs = process.hrtime.bigint();

  private constructor(private readonly fd: number | null) {}

  /** Opening a FIFO waits for its reader, as in the original. */
  static open(target: { path: string } | { fd: number } | null): EventMonitor {
    if (target === null) return new EventMonitor(null);
    const fd = "fd" in target ? target.fd : openSync(target.path, "w", 0o666);
    setNonBlocking(fd);
    return new EventMonitor(fd);
  }

  /** Written in pieces, like a serializer does: whoever tails the file meets halves. Errors are ignored: a full pipe loses events. */
  event(source: string, event: string, properties: Record<string, string> | null = null): void {
    if (this.fd === null) return;
    const ns = process.hrtime.bigint() - this.#startedNs;
    const timestamp = { secs: Number(ns / 1_000_000_000n), nanos: Number(ns % 1_000_000_000n) };
    const text = JSON.stringify({ timestamp, source, event, properties }, null, 2);
    try {
      for (const piece of [text.slice(0, 20), text.slice(20), "\n\n"]) writeSync(this.fd, piece);
    } catch {
      // EAGAIN, EPIPE: the original does not care either.
    }
  }
}
