import { describe, expect, test } from "bun:test";
import type { VmEvent } from "../../src/contract/index.ts";
import { EventBus, SLOW_READER_ROWS } from "../../src/engine/event-bus.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

class Journal implements Disposable {
  readonly directory = temporaryDirectory();
  readonly store: Store = openStore(this.directory.join("state.db"));
  readonly bus = new EventBus(this.store.events);

  append(count: number): void {
    this.store.write(() => {
      for (let n = 0; n < count; n++)
        this.store.events.append({ type: "VM_CREATED", vm_id: "id", vm_name: "demo", at: "now", data: { n } });
    });
    this.bus.wake();
  }
  [Symbol.dispose](): void {
    this.store.close();
    this.directory[Symbol.dispose]();
  }
}

/** Reads until `last` was seen. */
async function readTo(events: AsyncIterable<VmEvent>, last: number): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of events) {
    seen.push(event.seq);
    if (event.seq === last) break;
  }
  return seen;
}
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe("subscribe", () => {
  test("replay and live join without gap or repetition, for many readers at once", async () => {
    using journal = new Journal();
    journal.append(1200); // more than a page
    const over = new AbortController();
    const readers = [0, 1, 700, 1199, 1200].map(async (after) => {
      const seen = await readTo(journal.bus.subscribe(after, over.signal), 2200);
      expect(seen).toEqual(numbers(after + 1, 2200));
    });
    for (let n = 0; n < 100; n++) {
      journal.append(10);
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(readers);
  });

  test("null means from now on: from the call, not from the first read", async () => {
    using journal = new Journal();
    journal.append(3);
    const events = journal.bus.subscribe(null, new AbortController().signal);
    journal.append(2);
    expect(await readTo(events, 5)).toEqual([4, 5]);
  });

  test("a place from another history means from now on", async () => {
    using journal = new Journal();
    journal.append(3);
    const events = journal.bus.subscribe(900, new AbortController().signal);
    journal.append(1);
    expect(await readTo(events, 4)).toEqual([4]);
  });

  test("the signal ends a reader that waits and one that reads", async () => {
    using journal = new Journal();
    const over = new AbortController();
    const waiting = readTo(journal.bus.subscribe(null, over.signal), -1);
    over.abort();
    expect(await waiting).toEqual([]);

    journal.append(10);
    const reading = new AbortController();
    const seen: number[] = [];
    for await (const event of journal.bus.subscribe(0, reading.signal)) {
      seen.push(event.seq);
      if (event.seq === 3) reading.abort();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  test("a reader that fell too far behind is cut with a word; it can go on from where it was", async () => {
    using journal = new Journal();
    journal.append(1);
    const slow = journal.bus.subscribe(0, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await slow.next()).value.seq).toBe(1);
    const second = slow.next(); // it is caught up now, and waits
    journal.append(1);
    expect((await second).value.seq).toBe(2);
    journal.append(SLOW_READER_ROWS + 1);
    expect(slow.next()).rejects.toMatchObject({ code: "reader_too_slow", details: { last_seq: 2 } });
    const again = journal.bus.subscribe(2, new AbortController().signal);
    expect((await readTo(again, SLOW_READER_ROWS + 3)).length).toBe(SLOW_READER_ROWS + 1);
  });
});
