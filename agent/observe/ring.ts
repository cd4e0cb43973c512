import type { Entry } from "../../src/contract/index.ts";

/** Per tab and kind. */
const MAX_ENTRIES = 2_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Tabs that are gone are remembered, so many. */
const MAX_TABS = 64;

/** Newest entries of one kind in one tab; an entry put again under its id moves to the end. */
class Ring {
  #entries = new Map<string, { entry: Entry; bytes: number }>();
  #bytes = 0;
  dropped = 0;
  /** Largest seq among the dropped. */
  droppedTo = 0;

  put(entry: Entry, bytes: number): void {
    this.#remove(entry.id);
    this.#entries.set(entry.id, { entry, bytes });
    this.#bytes += bytes;
    while (this.#entries.size > MAX_ENTRIES || (this.#bytes > MAX_BYTES && this.#entries.size > 1)) {
      const [id, { entry: oldest }] = this.#entries.entries().next().value!;
      this.#remove(id);
      this.dropped += 1;
      this.droppedTo = oldest.seq;
    }
  }
  get(id: string): Entry | undefined {
    return this.#entries.get(id)?.entry;
  }
  *[Symbol.iterator](): Generator<Entry> {
    for (const { entry } of this.#entries.values()) yield entry;
  }
  #remove(id: string): void {
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
    this.#entries.delete(id);
  }
}

export type Filter = { kinds: readonly string[]; tab?: string | undefined };
/** Without the number that recording gives it. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, "seq"> : never) : never;

/** All that was seen: bounded per tab and kind, so that no tab's noise pushes out what another said. */
export class Journal {
  #rings = new Map<string, Map<Entry["kind"], Ring>>(); // tab, "" for none
  #listeners = new Set<(entry: Entry) => void>();
  #forgotten = new Map<Entry["kind"], number>();
  #seq = 0;
  #id = 0;

  get seq(): number {
    return this.#seq;
  }

  /** An id for a new entry. */
  id(prefix: string): string {
    return `${prefix}${++this.#id}`;
  }

  record(entry: NewEntry, bytes: number): void {
    const tab = entry.tab ?? "";
    const kinds = this.#rings.get(tab) ?? new Map<Entry["kind"], Ring>();
    if (!this.#rings.has(tab)) this.#addTab(tab, kinds);
    const ring = kinds.get(entry.kind) ?? new Ring();
    kinds.set(entry.kind, ring);
    const numbered = { seq: ++this.#seq, ...entry } as Entry;
    ring.put(numbered, bytes + 300);
    for (const listener of this.#listeners) listener(numbered);
  }

  find(id: string, kind: Entry["kind"]): Entry | undefined {
    for (const kinds of this.#rings.values()) {
      const entry = kinds.get(kind)?.get(id);
      if (entry) return entry;
    }
    return undefined;
  }

  /** Oldest first. `after` is where to go on; `droppedTo` the newest that is no longer there. */
  list(
    filter: Filter,
    after: number,
    limit: number,
  ): { items: Entry[]; dropped: number; droppedTo: number; after: number } {
    const found: Entry[] = [];
    let dropped = 0;
    let droppedTo = 0;
    for (const [tab, kinds] of this.#rings) {
      if (filter.tab !== undefined && filter.tab !== tab) continue;
      for (const [kind, ring] of kinds) {
        if (!filter.kinds.includes(kind)) continue;
        dropped += ring.dropped;
        droppedTo = Math.max(droppedTo, ring.droppedTo);
        for (const entry of ring) if (entry.seq > after) found.push(entry);
      }
    }
    if (filter.tab === undefined)
      for (const kind of filter.kinds) dropped += this.#forgotten.get(kind as Entry["kind"]) ?? 0;
    const items = found.sort((one, other) => one.seq - other.seq).slice(0, limit);
    return { items, dropped, droppedTo, after: items.length === limit ? items.at(-1)!.seq : this.#seq };
  }

  /** @returns a function that stops listening. */
  subscribe(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #addTab(tab: string, kinds: Map<Entry["kind"], Ring>): void {
    this.#rings.set(tab, kinds);
    if (this.#rings.size <= MAX_TABS) return;
    const [oldest, rings] = this.#rings.entries().next().value!;
    this.#rings.delete(oldest);
    for (const [kind, ring] of rings)
      this.#forgotten.set(kind, (this.#forgotten.get(kind) ?? 0) + ring.dropped + [...ring].length);
  }
}
