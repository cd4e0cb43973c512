import { closeSync, constants, fstatSync, ftruncateSync, readSync, watch } from "node:fs";
import * as v from "valibot";
import { HypeError } from "../../contract/index.ts";
import { openRegular } from "../../host/files.ts";
import { ChEvent, EVENT_END, FILE_LIMIT_BYTES } from "./facts.ts";

/** Above this, what was read is cut off: pausing and resuming for years must not fill the file, nor a guest that resets its devices. */
const CUT_BYTES = 1_048_576;
const CHUNK_BYTES = 65_536;
/** No event is a hundredth of it; a longer piece without an end is thrown away. */
const REST_LIMIT_CHARACTERS = 65_536;
/** Bun's watcher swallows a change within some 16 ms of the last one (measured, 1.4.5): a look after that sees both. */
const TRAILING_MS = 20;

/** Splits the event stream into events; keeps what is unfinished for the next piece. What is no event is passed over. */
export class EventParser {
  #rest = "";
  #decoder = new TextDecoder();

  push(bytes: Uint8Array): ChEvent[] {
    const pieces = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(EVENT_END);
    this.#rest = pieces.pop() ?? "";
    if (this.#rest.length > REST_LIMIT_CHARACTERS) this.#rest = "";
    return pieces.flatMap((piece) => {
      try {
        return [v.parse(ChEvent, JSON.parse(piece))];
      } catch {
        return [];
      }
    });
  }
}

/**
 * Follows the event file of a VMM from its beginning (what happened while no server watched is in it). Event-driven (inotify).
 * The file is the VMM's to append to and ours to cut; it stays the one that was opened, whatever the VMM puts in its place.
 */
export class EventTail implements Disposable {
  readonly #file: number;
  readonly #parser = new EventParser();
  #watcher: ReturnType<typeof watch> | null = null;
  #trailing: Timer | undefined;
  #offset = 0;
  #closed = false;

  /**
   * @param onEvent called for each event, in order; for those already in the file before `follow` returns.
   * @param onFull called when the file has reached its limit: events may have been lost.
   * @throws HypeError hypervisor_failed when there is no regular file by that name
   */
  constructor(
    private readonly path: string,
    private readonly onEvent: (event: ChEvent) => void,
    private readonly onFull: () => void,
  ) {
    const file = openRegular(path, constants.O_RDWR);
    if (file === null) throw new HypeError("hypervisor_failed", `the VMM has no event file ${path}`);
    this.#file = file;
  }

  /** Reads what is there and goes on reading. */
  follow(): void {
    this.#watcher = watch(this.path, () => {
      this.drain();
      clearTimeout(this.#trailing);
      this.#trailing = setTimeout(() => this.drain(), TRAILING_MS);
    });
    this.#watcher.on("error", () => {});
    this.drain();
  }

  /** Reads to the end of what was there when called: a writer that is faster than this reader does not hold it for ever. */
  drain(): void {
    if (this.#closed) return;
    const { size } = fstatSync(this.#file);
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    while (!this.#closed && this.#offset < size) {
      const read = readSync(this.#file, buffer, 0, CHUNK_BYTES, this.#offset);
      if (read === 0) break;
      this.#offset += read;
      for (const event of this.#parser.push(buffer.subarray(0, read))) this.onEvent(event);
    }
    if (size >= FILE_LIMIT_BYTES) this.onFull();
    if (!this.#closed) this.#cut();
  }

  /** What is appended between the look and the cut is lost. A reset of the guest writes several events over some milliseconds: one of them is seen. */
  #cut(): void {
    if (this.#offset < CUT_BYTES || fstatSync(this.#file).size !== this.#offset) return;
    ftruncateSync(this.#file, 0);
    this.#offset = 0;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#trailing);
    this.#watcher?.close();
    closeSync(this.#file);
  }
}
