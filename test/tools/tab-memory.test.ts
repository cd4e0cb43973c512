import { expect, test } from "bun:test";
import { TabMemory } from "../../src/tools/tab-memory.ts";

const VM = "vm/1";
/** Begins something on a tab, for a caller who uses it. @returns whether it was begun by this, and how often it was ended */
async function using(memory: TabMemory, caller: string, tab: string) {
  const tabs = memory.of(caller);
  tabs.use(VM, tab);
  const it = { isFirst: false, ended: 0 };
  await tabs.begin(VM, tab, async () => {
    it.isFirst = true;
    return () => void it.ended++;
  });
  return it;
}

test("what was begun on a tab ends with the last caller who has it", async () => {
  const memory = new TabMemory();
  const a = await using(memory, "a", "t1");
  const b = await using(memory, "b", "t1");
  expect([a.isFirst, b.isFirst]).toEqual([true, false]);
  memory.leave("a");
  expect(a.ended).toBe(0);
  memory.leave("b");
  memory.leave("b");
  expect(a.ended).toBe(1);
  expect((await using(memory, "c", "t1")).isFirst).toBe(true); // begun anew
});

test("it ends when nobody used the tab for long, also one that is no caller's current tab any more", async () => {
  const memory = new TabMemory(1_000);
  const left = await using(memory, "a", "t1");
  const current = await using(memory, "a", "t2");
  const now = performance.now();
  memory.sweep(now + 500);
  expect([left.ended, current.ended]).toEqual([0, 0]);
  memory.sweep(now + 2_000);
  memory.sweep(now + 4_000);
  expect([left.ended, current.ended]).toEqual([1, 1]);
  expect(memory.of("a").current(VM)).toBe("t2"); // the tab is still the caller's
});

test("a use puts it off", async () => {
  const memory = new TabMemory(1_000);
  const it = await using(memory, "a", "t1");
  const before = performance.now();
  while (performance.now() === before);
  memory.of("a").use(VM, "t1");
  memory.sweep(before + 1_000);
  expect(it.ended).toBe(0);
});

test("a tab that is gone has nothing to end", async () => {
  const memory = new TabMemory(1_000);
  const it = await using(memory, "a", "t1");
  memory.of("b").forget(VM, "t1");
  memory.leave("a");
  memory.sweep(performance.now() + 5_000);
  expect(it.ended).toBe(0);
});

test("a beginning that comes to its end after its caller left is ended at once", async () => {
  const memory = new TabMemory();
  const tabs = memory.of("a");
  tabs.use(VM, "t1");
  const { promise, resolve } = Promise.withResolvers<() => void>();
  const beginning = tabs.begin(VM, "t1", () => promise);
  memory.leave("a");
  let ended = 0;
  resolve(() => ended++);
  await beginning;
  expect(ended).toBe(1);
});

test("what could not be begun is begun by the next", async () => {
  const memory = new TabMemory();
  const failing = memory.of("a").begin(VM, "t1", () => Promise.reject(new Error("cancelled")));
  await expect(failing).rejects.toThrow("cancelled");
  expect((await using(memory, "b", "t1")).isFirst).toBe(true);
});
