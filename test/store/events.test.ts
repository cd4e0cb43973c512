import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventType } from "../../src/contract/index.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hype-store-"));
  store = openStore(join(directory, "state.db"));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const append = (name: string, type: EventType = "VM_CREATED", data = {}) =>
  store.write(() => store.events.append({ type, vm_id: `id-of-${name}`, vm_name: name, at: "now", data }));
const seqs = (filter: { after?: number; limit?: number; vm?: string; type?: EventType }) =>
  store.events.list({ after: 0, limit: 100, ...filter }).map((event) => event.seq);

test("seq grows by one; a rolled-back event leaves no gap", () => {
  append("a");
  expect(() =>
    store.write(() => {
      store.events.append({ type: "VM_CREATED", vm_id: "x", vm_name: "x", at: "now", data: {} });
      throw new Error("undo");
    }),
  ).toThrow("undo");
  expect(append("b").seq).toBe(2);
  expect(seqs({})).toEqual([1, 2]);
});

test("data comes back as it was", () => {
  const data = { reason: "quotes ' \" and 漢字", nested: { list: [1, null] } };
  const event = append("a", "VM_CRASHED", data);
  expect(store.events.list({ after: 0, limit: 1 })).toEqual([event]);
});

test("filters: after, limit, vm by name and id, type", () => {
  append("a");
  append("b");
  append("a", "VM_RUNNING");
  expect(seqs({ after: 1 })).toEqual([2, 3]);
  expect(seqs({ limit: 2 })).toEqual([1, 2]);
  expect(seqs({ vm: "a" })).toEqual([1, 3]);
  expect(seqs({ vm: "id-of-b" })).toEqual([2]);
  expect(seqs({ type: "VM_RUNNING" })).toEqual([3]);
  expect(seqs({ vm: "b", type: "VM_RUNNING" })).toEqual([]);
});

test("pruning keeps the newest, and numbers are never given again", () => {
  for (let n = 0; n < 5; n++) append("a");
  expect(store.events.prune(2)).toBe(3);
  expect(seqs({})).toEqual([4, 5]);
  expect(store.events.prune(0)).toBe(2);
  expect(store.events.lastSeq()).toBe(5);
  expect(append("a").seq).toBe(6);
});
