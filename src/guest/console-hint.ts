import { closeSync, constants, type FSWatcher, openSync, readSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { AGENT_LISTENING_LINE } from "../contract/index.ts";

const CHUNK_BYTES = 65_536;
/** Bun's watcher swallows a change within some 16 ms of the last one (measured, 1.4.5): a look after that sees both. */
const TRAILING_MS = 20;

/**
 * Watches a VM's console log for the line the agent prints when its door is open. A hint that saves polling, nothing more: the
 * guest can print what it likes, and without a watch one only learns of the door later.
 */
export class ConsoleHint implements Disposable {
  #seen = new AbortController();
  #watcher: FSWatcher | undefined;
  #trailing: Timer | undefined;
  #position = 0;
  #rest = "";

  /** @param file need not exist yet, its directory must. */
  constructor(private readonly file: string) {
    try {
      this.#watcher = watch(dirname(file), (_event, name) => {
        if (name !== basename(file)) return;
        this.#read();
        clearTimeout(this.#trailing);
        this.#trailing = setTimeout(() => this.#read(), TRAILING_MS);
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // no directory, or the user's inotify watches are used up
    }
    this.#read();
  }

  /** Aborts when the line was seen. */
  get seen(): AbortSignal {
    return this.#seen.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#trailing);
    this.#watcher?.close();
  }

  #read(): void {
    if (this.#seen.signal.aborted) return;
    try {
      // The VMM writes it: a link is not followed, and a FIFO in its place is not waited at.
      const file = openSync(this.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const chunk = Buffer.alloc(CHUNK_BYTES);
        for (let bytes; (bytes = readSync(file, chunk, 0, chunk.length, this.#position)) > 0;) {
          this.#position += bytes;
          const text = this.#rest + chunk.toString("latin1", 0, bytes);
          if (text.includes(AGENT_LISTENING_LINE)) return this.#seen.abort();
          this.#rest = text.slice(-AGENT_LISTENING_LINE.length);
        }
      } finally {
        closeSync(file);
      }
    } catch {
      // not there yet
    }
  }
}
