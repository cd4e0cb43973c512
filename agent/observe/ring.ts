import type { Entry } from "../../src/contract/index.ts";

/** Of one kind in one tab. */
const MAX_ENTRIES = 2_000;
const MAX_BYTES = 4 * 1024 * 1024;

/** Newest entries of one kind in one tab; an entry put again under its id moves to the end. */
export class Ring {
  #entries = new Map<string, { entry: Entry; bytes: number }>();
  bytes = 0;
  dropped = 0;
  /** Largest seq among the dropped. */
  droppedTo = 0;

  get size(): number {
    return this.#entries.size;
  }

  put(entry: Entry, bytes: number): void {
    this.remove(entry.id);
    this.#entries.set(entry.id, { entry, bytes });
    this.bytes += bytes;
    while (this.size > MAX_ENTRIES || (this.bytes > MAX_BYTES && this.size > 1)) this.drop();
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id)?.entry;
  }

  /** It stands elsewhere now: it does not count as dropped. */
  remove(id: string): void {
    this.bytes -= this.#entries.get(id)?.bytes ?? 0;
    this.#entries.delete(id);
  }

  /** The oldest goes, and is counted. */
  drop(): void {
    const [oldest] = this.#entries.entries();
    if (!oldest) return;
    const [id, { entry }] = oldest;
    this.remove(id);
    this.dropped += 1;
    this.droppedTo = entry.seq;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const { entry } of this.#entries.values()) yield entry;
  }
}

/** About what an object with a hidden class of its own, or a string's head, takes in JavaScriptCore, bytes. */
const HEAD_BYTES = 32;

/** What a value takes in memory, about: strings with a character beyond Latin-1 take two bytes for each. */
export function bytesOf(value: unknown): number {
  if (typeof value === "string") return HEAD_BYTES + (/[^\0-\xff]/.test(value) ? 2 * value.length : value.length);
  if (typeof value !== "object" || value === null) return 8;
  let bytes = HEAD_BYTES;
  for (const part of Array.isArray(value) ? value : Object.values(value)) bytes += 8 + bytesOf(part);
  return bytes;
}

/** The beginning of a text, as a string of its own: a mere slice would keep the whole of it in memory. */
export const clipped = (text: string, maxCharacters: number): string =>
  text.length <= maxCharacters ? text : Buffer.from(text.slice(0, maxCharacters)).toString();
