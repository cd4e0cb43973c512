import type { EgressRefusal } from "../../contract/index.ts";
import { readRefusals } from "./counts.ts";

export type RefusalListener = (slot: number, refusals: EgressRefusal[]) => void;

/** Between two looks at one slot, and between two looks at any: at most four processes a second, whatever the number of slots. */
const [SLOT_MS, ANY_MS] = [5_000, 250];

const keyOf = ({ protocol, address, port }: EgressRefusal): string => `${protocol} ${address} ${port}`;

/** Looks at one slot after the other for destinations refused since the last look. Runs only while somebody listens. */
export class RefusalWatch {
  readonly #listeners = new Set<RefusalListener>();
  /**
   * Packets told of so far, by destination (null: whatever there is was told), and when the slot was last looked at, milliseconds of
   * performance.now().
   */
  readonly #seen = new Map<number, { atMs: number; packets: Map<string, number> | null }>();
  #timer: Timer | null = null;
  #looking = false;

  constructor(
    private readonly slots: () => readonly number[],
    private readonly pace: { slotMs: number; anyMs: number } = { slotMs: SLOT_MS, anyMs: ANY_MS },
    private readonly read: (slot: number) => Promise<EgressRefusal[]> = readRefusals,
  ) {}

  /** @returns a function that ends it. */
  listen(listener: RefusalListener): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.#look(), this.pace.anyMs);
    this.#timer.unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#listeners.clear();
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** What this slot's guest was refused before the first look is not told: an earlier server did. */
  skipPast(slot: number): void {
    this.#seen.set(slot, { atMs: -Infinity, packets: null });
  }

  forget(slot: number): void {
    this.#seen.delete(slot);
  }

  async #look(): Promise<void> {
    const slot = this.#looking ? null : this.#due();
    if (slot === null) return;
    this.#looking = true;
    try {
      const before = this.#seen.get(slot)?.packets;
      const refusals = await this.read(slot);
      const packets = new Map(refusals.map((refusal) => [keyOf(refusal), refusal.packets]));
      this.#seen.set(slot, { atMs: performance.now(), packets });
      if (before === null) return;
      const fresh = refusals.flatMap((refusal) => {
        const told = before?.get(keyOf(refusal)) ?? 0;
        // A destination that was forgotten in the meantime counts from nought again.
        const more = refusal.packets >= told ? refusal.packets - told : refusal.packets;
        return more > 0 ? [{ ...refusal, packets: more }] : [];
      });
      if (fresh.length > 0) for (const listener of this.#listeners) listener(slot, fresh);
    } catch {
      // The slot is going, or gone: reconciling sees to that.
      const known = this.#seen.get(slot);
      this.#seen.set(slot, { atMs: performance.now(), packets: known ? known.packets : new Map() });
    } finally {
      this.#looking = false;
    }
  }

  /** The slot that waited longest, if it waited long enough. */
  #due(): number | null {
    const slots = this.slots();
    for (const slot of this.#seen.keys()) if (!slots.includes(slot)) this.#seen.delete(slot);
    const sinceMs = (slot: number) => this.#seen.get(slot)?.atMs ?? -Infinity;
    const [oldest] = slots.toSorted((a, b) => sinceMs(a) - sinceMs(b));
    return oldest !== undefined && performance.now() - sinceMs(oldest) >= this.pace.slotMs ? oldest : null;
  }
}
