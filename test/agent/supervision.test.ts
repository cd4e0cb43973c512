import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type AgentEvent, type BrowserEvent, Evaluate } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";

const running = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** Collects what is told of Chromium until one of that type came; pages come between. */
async function until(events: AsyncIterator<AgentEvent>, type: BrowserEvent["type"]): Promise<BrowserEvent[]> {
  const seen: BrowserEvent[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`the events ended before ${type}: ${JSON.stringify(seen)}`);
    if (value.type === "page") continue;
    seen.push(value);
    if (value.type === type) return seen;
  }
}

test("a Chromium that dies is reported, what was pending fails, and the next one is up at once", async () => {
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  const before = await guest.ready(30_000);
  const abort = new AbortController();
  const events = guest.events(abort.signal)[Symbol.asyncIterator]();
  expect(await events.next()).toMatchObject({ value: { type: "browser_ready", restarts: 0 } });

  const pending = guest.evaluate(v.parse(Evaluate, { expression: "new Promise(() => {})" })).catch((error) => error);
  await guest.evaluate(v.parse(Evaluate, { expression: "1" }));
  process.kill(-before.chromium.pid!, "SIGKILL");

  expect(await pending).toMatchObject({ name: "HypeError", code: "browser_unavailable" });
  const seen = await until(events, "browser_ready");
  expect(seen.map(({ type, restarts }) => [type, restarts])).toEqual([
    ["browser_died", 1],
    ["browser_starting", 1],
    ["browser_ready", 1],
  ]);
  expect(seen[0]).toMatchObject({ reason: expect.stringContaining("SIGKILL") });

  const after = await guest.health();
  expect(after).toMatchObject({ status: "ready", chromium: { restarts: 1, ready: true } });
  expect(after.chromium.last_exit).toContain("SIGKILL");
  expect(after.chromium.pid).not.toBe(before.chromium.pid);
  expect(await guest.evaluate(v.parse(Evaluate, { expression: "2" }))).toMatchObject({ value: 2 });
  abort.abort();
  for (let next = await events.next(); !next.done;) next = await events.next();
}, 40_000);

test("a program that is no Chromium: not ready, counted, the reason with its own words", async () => {
  await using agent = await startAgent({ chromium: "/nonexistent/chromium" });
  const guest = new Guest(agent.endpoint, agent.token);
  const died = await until(guest.events(new AbortController().signal)[Symbol.asyncIterator](), "browser_died");
  expect(died.at(-1)).toMatchObject({ reason: expect.stringMatching(/exit code 127.*\/nonexistent\/chromium/s) });
  const refusal = await guest.evaluate(v.parse(Evaluate, { expression: "1" })).catch((error) => error);
  expect(refusal).toMatchObject({ code: "browser_unavailable", message: expect.stringContaining("exit code 127") });
  expect(await guest.ready(1).catch((error) => error)).toMatchObject({ code: "operation_timeout" });
}, 20_000);

test("a connection that is lost costs what was pending on it, not the browser", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hype-fake-"));
  try {
    const program = join(directory, "chromium");
    const script = new URL("../fake/devtools.ts", import.meta.url).pathname;
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${script}'\n`, { mode: 0o755 });
    await using agent = await startAgent({ chromium: program });
    const guest = new Guest(agent.endpoint, agent.token);
    const before = await guest.ready(30_000);
    const evaluate = () => guest.evaluate(v.parse(Evaluate, { expression: "1" }));
    expect(await evaluate().catch((error) => error)).toMatchObject({ code: "browser_unavailable" });
    const after = await guest.ready(30_000);
    expect(after.chromium).toMatchObject({ pid: before.chromium.pid, restarts: 0, version: "Fake/1" });
    expect(await evaluate()).toMatchObject({ value: 42 });
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 40_000);

test("no Chromium outlives its agent, however the agent ends", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await using agent = await startAgent();
    const { chromium } = await new Guest(agent.endpoint, agent.token).ready(30_000);
    expect(running(chromium.pid!)).toBe(true);
    process.kill(agent.pid, signal);
    await agent.exited;
    if (signal === "SIGTERM")
      expect(running(chromium.pid!)).toBe(false); // it waited for it
    else await gone(chromium.pid!);
  }
}, 60_000);

/** The kernel kills it with its parent, a moment later: DevTools' end of the line is not ours to see, so look. */
async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (running(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} outlived its agent`);
    await new Promise(setImmediate);
  }
}
