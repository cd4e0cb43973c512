import { expect, test } from "bun:test";
import { MOST_OPENED, TabMemory } from "../../src/tools/tab-memory.ts";

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
  expect(memory.of("a").current(VM)).toBeNull(); // and is free for others
});

/** A tab that was opened for a caller. @returns how often it was closed, and what ends that */
function opening(memory: TabMemory, caller: string, tab: string, isWanted = false) {
  const tabs = memory.of(caller);
  const it = { closed: 0, isInHand: false, done: Promise.withResolvers<void>() };
  tabs.opened(VM, tab, {
    mayClose: () => !it.isInHand,
    close: () => (it.closed++, it.done.promise),
    isWanted,
  });
  tabs.use(VM, tab);
  return it;
}

test("a tab that was opened for a caller closes with it, and is nobody's meanwhile", async () => {
  const memory = new TabMemory();
  const it = opening(memory, "a", "t2");
  memory.of("a").use(VM, "t1"); // used last, but not the only one
  memory.leave("a");
  memory.leave("a");
  expect(it.closed).toBe(1);
  expect([...memory.of("b").ofOthers(VM)]).toEqual(["t2"]);
  it.done.resolve();
  while (memory.of("b").ofOthers(VM).size > 0) await it.done.promise;
});

test("it does not while somebody else has it, or a person holds the browser", () => {
  const memory = new TabMemory(1_000);
  const it = opening(memory, "a", "t2");
  memory.of("b").use(VM, "t2");
  memory.leave("a");
  expect(it.closed).toBe(0);
  it.isInHand = true;
  memory.leave("b");
  expect(it.closed).toBe(0);
  it.isInHand = false;
  memory.sweep(performance.now() + 500);
  expect(it.closed).toBe(0);
  memory.sweep(performance.now() + 5_000);
  expect(it.closed).toBe(1);
});

test("callers that never say good-bye give back what they had once they were silent for long, unless something is done there", () => {
  const memory = new TabMemory(1_000);
  const silent = opening(memory, "a", "t2");
  const busy = opening(memory, "b", "t3");
  const held = memory.of("b").hold(VM, "t3");
  memory.of("c").use(VM, "t1");
  const later = performance.now() + 5_000;
  memory.sweep(later);
  expect([silent.closed, busy.closed]).toEqual([1, 0]);
  expect([...memory.of("d").ofOthers(VM)].sort()).toEqual(["t2", "t3"]); // t1 is free again
  held[Symbol.dispose]();
  memory.sweep(later);
  expect(busy.closed).toBe(1);
});

test("one that its caller asked for stays as long as the caller does, used or not, and makes no room", () => {
  const memory = new TabMemory(1_000, 0);
  const [given, wanted] = [opening(memory, "a", "t2"), opening(memory, "a", "t3", true)];
  const before = performance.now();
  while (performance.now() === before);
  memory.of("a").use(VM, "t1");
  memory.sweep(before + 1_000);
  expect([given.closed, wanted.closed]).toEqual([1, 0]);
  for (let at = 0; at < MOST_OPENED; at++) opening(memory, "b", `own${at}`, true);
  memory.of("c").makeRoom(VM);
  expect(wanted.closed).toBe(0);
  memory.sweep(before + 5_000);
  expect(wanted.closed).toBe(1);
});

test("so many are opened at most: the one silent longest goes, none that is at work, and none while its caller may be thinking", () => {
  const memory = new TabMemory(1_000_000, 0);
  const all = Array.from({ length: MOST_OPENED }, (_, at) => opening(memory, `c${at}`, `t${at}`));
  const closed = () => all.flatMap((it, at) => (it.closed > 0 ? [at] : []));
  using _held = memory.of("c0").hold(VM, "t0");
  const before = performance.now();
  while (performance.now() === before);
  memory.of("c1").use(VM, "t1");
  memory.of("new").makeRoom(VM);
  expect(closed()).toEqual([2]);
  expect(memory.of("c2").current(VM)).toBe("t2"); // its next call says that the tab is gone
  memory.of("new").makeRoom(VM);
  expect(closed()).toEqual([2]); // there is room

  const patient = new TabMemory();
  const others = Array.from({ length: MOST_OPENED + 3 }, (_, at) => opening(patient, `c${at}`, `t${at}`));
  patient.of("new").makeRoom(VM);
  expect(others.every((it) => it.closed === 0)).toBe(true);
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
