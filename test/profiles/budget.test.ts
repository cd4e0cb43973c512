import { expect, test } from "bun:test";
import { Budget } from "../../src/profiles/budget.ts";

const NEVER = new AbortController().signal;
/** A work that ends when it is told to, and says when it began. */
function works(budget: Budget) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, bytes: number, signal = NEVER) =>
    budget.run(bytes, signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  /** Everything that can begin has begun after some turns. */
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return begun;
  };
  return { run, settle, end: (name: string) => ends.get(name)?.() };
}

test("works begin in order as long as they fit; the next when one ended, also by an error", async () => {
  const budget = new Budget(10);
  const { run, settle, end } = works(budget);
  const all = [run("a", 6), run("b", 4), run("c", 5), run("d", 1)];
  expect(await settle()).toEqual(["a", "b"]);
  end("b");
  expect(await settle()).toEqual(["a", "b"]); // c does not fit yet, and d does not overtake it
  end("a");
  expect(await settle()).toEqual(["a", "b", "c", "d"]);
  end("c");
  end("d");
  await Promise.all(all);
  await expect(
    budget.run(10, NEVER, async () => {
      throw new Error("it failed");
    }),
  ).rejects.toThrow("it failed");
  expect(await budget.run(10, NEVER, async () => "free")).toBe("free");
});

test("one larger than all runs alone", async () => {
  const { run, settle, end } = works(new Budget(10));
  const all = [run("small", 1), run("huge", 50), run("last", 1)];
  expect(await settle()).toEqual(["small"]);
  end("small");
  expect(await settle()).toEqual(["small", "huge"]);
  end("huge");
  expect(await settle()).toEqual(["small", "huge", "last"]);
  end("last");
  await Promise.all(all);
});

test("who gives up leaves the queue, and whom it held up begins", async () => {
  const { run, settle, end } = works(new Budget(10));
  const stop = new AbortController();
  const first = run("first", 6);
  const given = run("given up", 9, stop.signal);
  const after = run("after", 2);
  expect(await settle()).toEqual(["first"]);
  stop.abort(new Error("enough"));
  await expect(given).rejects.toThrow("enough");
  expect(await settle()).toEqual(["first", "after"]);
  end("first");
  end("after");
  await Promise.all([first, after]);
  await expect(run("late", 1, stop.signal)).rejects.toThrow("enough");
});
