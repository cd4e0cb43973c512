import { describe, expect, test } from "bun:test";
import { Journal } from "../../agent/observe/journal.ts";
import { bytesOf, clipped } from "../../agent/observe/ring.ts";

const KB = 1024;
const say = (journal: Journal, tab: string | null, text: string, kind: "console" | "exception" = "console") => {
  const common = { id: journal.id("c"), tab, time: 0, text, url: "", line: 1, column: 1 };
  journal.record(kind === "console" ? { ...common, kind, level: "info" } : { ...common, kind });
};
const all = (journal: Journal, tab?: string, kinds = ["console", "exception"]) =>
  journal.list({ kinds, tab }, 0, Number.MAX_SAFE_INTEGER);

describe("one budget for all tabs and kinds", () => {
  test("a flood in many tabs stays within it, and every entry is there or counted", () => {
    const journal = new Journal(256 * KB);
    for (let n = 0; n < 20_000; n++) {
      say(journal, `tab${n % 50}`, `${n} ${"x".repeat(n % 700)}`, n % 3 ? "console" : "exception");
      expect(journal.bytes).toBeLessThanOrEqual(256 * KB);
    }
    const { items, dropped, droppedTo } = all(journal);
    expect(items.length).toBeGreaterThan(100);
    expect(items.length + dropped).toBe(20_000);
    expect(items.reduce((sum, entry) => sum + bytesOf(entry), 0)).toBe(journal.bytes);
    expect(droppedTo).toBeLessThan(journal.seq);
    for (let tab = 0; tab < 50; tab++) {
      const its = all(journal, `tab${tab}`);
      expect(its.items.length + its.dropped).toBe(400);
    }
  });
  test("the noisy give theirs first: what a quiet tab said stays", () => {
    const journal = new Journal(256 * KB);
    say(journal, "quiet", "the one word");
    for (let n = 0; n < 5_000; n++) say(journal, `loud${n % 3}`, "y".repeat(500));
    expect(all(journal, "quiet")).toMatchObject({ items: [{ text: "the one word" }], dropped: 0, droppedTo: 0 });
    expect(all(journal).dropped).toBeGreaterThan(4_000);
  });
  test("one entry that is larger than all the room is told, counted and not kept", () => {
    const journal = new Journal(4 * KB);
    const heard: number[] = [];
    journal.subscribe(({ seq }) => heard.push(seq));
    say(journal, "a", "small");
    say(journal, "b", "z".repeat(8 * KB));
    expect(heard).toEqual([1, 2]);
    expect(all(journal)).toMatchObject({ items: [{ text: "small" }], dropped: 1, droppedTo: 2 });
  });
  test("an entry that changes, and one that moves to its tab, is one entry and nothing lost", () => {
    const journal = new Journal(64 * KB);
    const entry = { id: "x1", time: 0, kind: "exception", text: "t", url: "", line: 1, column: 1 } as const;
    journal.record({ ...entry, tab: null });
    journal.record({ ...entry, tab: "a" }, null);
    journal.record({ ...entry, tab: "a", text: "later" });
    expect(all(journal)).toMatchObject({ items: [{ seq: 3, tab: "a", text: "later" }], dropped: 0 });
  });
});

describe("tabs that are forgotten", () => {
  test("the one that was quiet longest; what was lost of it is told by tab and over all", () => {
    const journal = new Journal(1_024 * KB, 2);
    for (const tab of ["a", "b", "a", "c"]) say(journal, tab, tab);
    expect(all(journal, "b")).toMatchObject({ items: [], dropped: 1, droppedTo: 2 });
    expect(all(journal, "a")).toMatchObject({ dropped: 0, items: [{ seq: 1 }, { seq: 3 }] });
    expect(all(journal)).toMatchObject({ dropped: 1, droppedTo: 2 });
    expect(all(journal, undefined, ["exception"])).toMatchObject({ dropped: 0, droppedTo: 0 });
    say(journal, "b", "again"); // it comes back: what it lost before still counts
    expect(all(journal, "b")).toMatchObject({ items: [{ text: "again" }], dropped: 1, droppedTo: 2 });
    expect(all(journal, "a")).toMatchObject({ items: [], dropped: 2, droppedTo: 3 });
  });
  test("thousands of them: what is not known of each any more is still counted and told", () => {
    const journal = new Journal(1_024 * KB, 2, 4);
    for (let n = 0; n < 1_000; n++) say(journal, `tab${n}`, "hello");
    expect(all(journal)).toMatchObject({ dropped: 998, droppedTo: 998, items: [{ seq: 999 }, { seq: 1_000 }] });
    expect(all(journal, "tab997")).toMatchObject({ dropped: 1, droppedTo: 998 });
    expect(all(journal, "tab0").droppedTo).toBe(994); // somewhere among these
    expect(all(journal, "tab999").droppedTo).toBe(0);
  });
});

test("what an entry takes: characters beyond Latin-1 count twice; a clipped text is well-formed", () => {
  expect(bytesOf("ж".repeat(100)) - bytesOf("x".repeat(100))).toBe(100);
  expect(bytesOf({ a: ["xy"] })).toBeGreaterThan(bytesOf({ a: [] }));
  expect(clipped("abc", 3)).toBe("abc");
  expect(clipped("ab😀", 3).isWellFormed()).toBe(true);
});
