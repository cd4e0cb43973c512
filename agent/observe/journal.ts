import type { Entry } from "../../src/contract/index.ts";
import { bytesOf, Ring } from "./ring.ts";

type Kind = Entry["kind"];
type Lost = { dropped: number; droppedTo: number };

/** Everything together: a quarter of what the agent's memory may grow by. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Entries of so many tabs, those that said something last. */
const MAX_TABS = 256;
/** Of so many more it is known one by one how much of them was lost. */
const MAX_LOST_TABS = 2_048;
/** When there is no room, more than the least is made: looking for who takes most is paid for once. */
const SLACK = 64;

export type Filter = { kinds: readonly string[]; tab?: string | undefined };
/** Without the number that recording gives it. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, "seq"> : never) : never;

/**
 * All that was seen, within one budget of memory. Each kind in each tab has a bound of its own; where all together are too much, the
 * one that takes most gives its oldest, so that no tab's noise pushes out what another said. What was dropped is counted, and told to
 * readers by the number of the newest that is gone, also of tabs that are forgotten.
 */
export class Journal {
  #rings = new Map<string, Map<Kind, Ring>>(); // tab, "" for none; the one that was quiet longest first
  #lost = new Map<string, Map<Kind, Lost>>(); // of forgotten tabs
  #lostOfOthers = new Map<Kind, Lost>(); // of those that are beyond counting one by one
  #listeners = new Set<(entry: Entry) => void>();
  #bytes = 0;
  #seq = 0;
  #id = 0;

  constructor(
    private readonly maxBytes = MAX_BYTES,
    private readonly maxTabs = MAX_TABS,
    private readonly maxLostTabs = MAX_LOST_TABS,
  ) {}

  get seq(): number {
    return this.#seq;
  }
  /** What all entries take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An id for a new entry. */
  id(prefix: string): string {
    return `${prefix}${++this.#id}`;
  }

  /** @param was the tab under which an entry of this id stood until now */
  record(entry: NewEntry, was: string | null = entry.tab): void {
    if (was !== entry.tab) this.#change(this.#rings.get(was ?? "")?.get(entry.kind), (ring) => ring.remove(entry.id));
    const numbered = { seq: ++this.#seq, ...entry } as Entry;
    this.#change(this.#ringOf(entry.tab ?? "", entry.kind), (ring) => ring.put(numbered, bytesOf(numbered)));
    if (this.#bytes > this.maxBytes) this.#makeRoom();
    for (const listener of this.#listeners) listener(numbered);
  }

  find(id: string, kind: Kind): Entry | undefined {
    for (const kinds of this.#rings.values()) {
      const entry = kinds.get(kind)?.get(id);
      if (entry) return entry;
    }
    return undefined;
  }

  /** Oldest first. `after` is where to go on; `droppedTo` the newest that is no longer there. */
  list({ kinds, tab }: Filter, after: number, limit: number): Lost & { items: Entry[]; after: number } {
    const found: Entry[] = [];
    const lost: Lost = { dropped: 0, droppedTo: 0 };
    const isMeant = ([kind]: readonly [Kind, unknown]) => kinds.includes(kind);
    for (const rings of tab === undefined ? this.#rings.values() : [this.#rings.get(tab) ?? []])
      for (const [, ring] of [...rings].filter(isMeant)) {
        add(lost, ring);
        for (const entry of ring) if (entry.seq > after) found.push(entry);
      }
    for (const losses of tab === undefined ? this.#lost.values() : [this.#lost.get(tab) ?? []])
      for (const [, loss] of [...losses].filter(isMeant)) add(lost, loss);
    // A tab of which nothing is known any more may be one of them.
    if (tab === undefined || !(this.#rings.has(tab) || this.#lost.has(tab)))
      for (const [, loss] of [...this.#lostOfOthers].filter(isMeant)) add(lost, loss);
    const items = found.sort((one, other) => one.seq - other.seq).slice(0, limit);
    return { items, ...lost, after: items.length === limit ? items.at(-1)!.seq : this.#seq };
  }

  /** @returns a function that stops listening. */
  subscribe(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #ringOf(tab: string, kind: Kind): Ring {
    const rings = this.#rings.get(tab) ?? new Map<Kind, Ring>();
    this.#rings.delete(tab);
    this.#rings.set(tab, rings); // the last to be forgotten now
    if (this.#rings.size > this.maxTabs) this.#forgetTab();
    const ring = rings.get(kind) ?? new Ring();
    rings.set(kind, ring);
    return ring;
  }

  #change(ring: Ring | undefined, change: (ring: Ring) => void): void {
    if (!ring) return;
    const before = ring.bytes;
    change(ring);
    this.#bytes += ring.bytes - before;
  }

  #makeRoom(): void {
    const enough = this.maxBytes - this.maxBytes / SLACK;
    while (this.#bytes > enough) {
      let largest: Ring | undefined;
      for (const rings of this.#rings.values())
        for (const ring of rings.values()) if (!largest || ring.bytes > largest.bytes) largest = ring;
      if (!largest || largest.size === 0) return;
      const half = largest.bytes / 2; // then perhaps another one is larger
      this.#change(largest, (ring) => {
        const before = this.#bytes - ring.bytes;
        do ring.drop();
        while (ring.size > 0 && ring.bytes > half && before + ring.bytes > enough);
      });
    }
  }

  #forgetTab(): void {
    const [tab, rings] = this.#rings.entries().next().value!;
    this.#rings.delete(tab);
    const lost = this.#lost.get(tab) ?? new Map<Kind, Lost>();
    for (const [kind, ring] of rings) {
      this.#change(ring, () => {
        while (ring.size > 0) ring.drop();
      });
      if (ring.dropped > 0) addOf(lost, kind, ring);
    }
    this.#lost.delete(tab);
    this.#lost.set(tab, lost);
    if (this.#lost.size <= this.maxLostTabs) return;
    const [oldest, losses] = this.#lost.entries().next().value!;
    this.#lost.delete(oldest);
    for (const [kind, loss] of losses) addOf(this.#lostOfOthers, kind, loss);
  }
}

function add(sum: Lost, { dropped, droppedTo }: Lost): void {
  sum.dropped += dropped;
  sum.droppedTo = Math.max(sum.droppedTo, droppedTo);
}

function addOf(sums: Map<Kind, Lost>, kind: Kind, lost: Lost): void {
  const sum = sums.get(kind) ?? { dropped: 0, droppedTo: 0 };
  add(sum, lost);
  sums.set(kind, sum);
}
