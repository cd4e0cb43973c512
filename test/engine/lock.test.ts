import { expect, test } from "bun:test";
import { HypeError } from "../../src/contract/index.ts";
import { VmLocks } from "../../src/engine/lock.ts";
import { gate } from "./world.ts";

const stopped = new HypeError("cancelled", "stopped");

test("one at a time per VM, in order of arrival; a failure does not hold up the next", async () => {
  const locks = new VmLocks();
  const told: string[] = [];
  const first = gate();
  const runs = [
    locks.run("a", async () => {
      told.push("first begins");
      await first.promise;
      told.push("first ends");
      throw new HypeError("internal", "broken");
    }),
    locks.run("a", async () => void told.push("second")),
    locks.run("a", async () => void told.push("third")),
  ];
  await locks.run("b", async () => void told.push("other VM"));
  first.resolve();
  expect((await Promise.allSettled(runs)).map((run) => run.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(told).toEqual(["first begins", "other VM", "first ends", "second", "third"]);
  expect([locks.busy("a"), locks.busy("b")]).toEqual([false, false]);
});

test("a preemption reaches what runs and what waits, but only what yields to it", async () => {
  const locks = new VmLocks();
  const reasons: unknown[] = [];
  const until = (signal: AbortSignal) =>
    new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        resolve();
      }),
    );
  const running = locks.run("a", until, { yieldsTo: ["stop", "delete"] });
  const waiting = locks.run("a", async () => reasons.push("never"), { yieldsTo: ["stop"] });
  const steadfast = locks.run("a", async (signal) => signal.aborted, { yieldsTo: ["delete"] });
  await Promise.resolve(); // the first has its turn now
  locks.preempt("a", "stop", stopped);
  await running;
  expect(waiting).rejects.toBe(stopped);
  expect(await steadfast).toBe(false);
  expect(reasons).toEqual([stopped]);
});

test("a caller's signal cancels while it waits and while it works", async () => {
  const locks = new VmLocks();
  const caller = new AbortController();
  const hold = gate();
  const running = locks.run("a", () => hold.promise);
  const waiting = locks.run("a", async () => "worked", { signal: caller.signal });
  caller.abort();
  hold.resolve();
  await running;
  expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  await locks.idle();
});

test("idle waits for everything, also for what comes while it waits", async () => {
  const locks = new VmLocks();
  let done = 0;
  void locks.run("a", async () => {
    void locks.run("b", async () => void done++);
    done++;
  });
  await locks.idle();
  expect(done).toBe(2);
});
