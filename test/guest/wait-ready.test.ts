import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT_LISTENING_LINE } from "../../src/contract/index.ts";
import { ConsoleHint } from "../../src/guest/console-hint.ts";
import { Guest } from "../../src/guest/guest.ts";
import { waitReady } from "../../src/guest/wait-ready.ts";
import { startAgent } from "../lib/agent.ts";

const directory = mkdtempSync(join(tmpdir(), "hype-wait-"));
afterAll(() => rmSync(directory, { recursive: true }));
const never = new AbortController().signal;

test("the real agent: first its door, then its browser", async () => {
  await using agent = await startAgent();
  const phases: string[] = [];
  const health = await waitReady(new Guest(agent.endpoint, agent.token), {
    consoleLog: join(directory, "none"),
    silenceMs: 0,
    deadlineMs: 30_000,
    signal: never,
    onPhase: (phase) => phases.push(phase),
  });
  expect(health.chromium.ready).toBe(true);
  expect(phases).toEqual(["agent", "browser"]);
}, 40_000);

test("a door that takes connections and says nothing is knocked at again when the console says it is open", async () => {
  // As passt does before the guest is up: connections are taken, then hang.
  await using agent = await startAgent();
  const console = join(directory, "console.log");
  const knocked = Promise.withResolvers<void>();
  const silent = createServer(() => knocked.resolve());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  // The guest's real address is known only once the console line came.
  const guest = new Guest(`http://127.0.0.1:${port}`, agent.token);
  const ready = waitReady(guest, { consoleLog: console, silenceMs: 0, deadlineMs: 30_000, signal: never });
  await knocked.promise;
  const before = performance.now();
  Object.assign(guest, { endpoint: agent.endpoint });
  writeFileSync(console, `[    0.0] Linux\n${AGENT_LISTENING_LINE} on 7070\n`);
  expect((await ready).chromium.ready).toBe(true);
  silent.close();
  expect(performance.now() - before).toBeLessThan(10_000);
}, 40_000);

test("boot_timeout says what was seen last", async () => {
  const guest = new Guest("http://127.0.0.1:1", "t".repeat(40));
  const waited = waitReady(guest, { consoleLog: join(directory, "none"), silenceMs: 0, deadlineMs: 50, signal: never });
  expect(await waited.catch((error) => error)).toMatchObject({
    code: "boot_timeout",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("nobody knocks before the console says that the door is open", async () => {
  const console = join(directory, "quiet.log");
  const knocks: number[] = [];
  const door = createServer((socket) => {
    knocks.push(performance.now());
    socket.destroy();
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const guest = new Guest(`http://127.0.0.1:${(door.address() as { port: number }).port}`, "t".repeat(40));
  const abort = new AbortController();
  const knocked = new Promise((resolve) => door.once("connection", resolve));
  const waited = waitReady(guest, { consoleLog: console, deadlineMs: 60_000, signal: abort.signal });
  writeFileSync(console, "[    0.0] Linux\n");
  const saidAt = await new Promise<number>((resolve) =>
    setImmediate(() => {
      appendFileSync(console, `${AGENT_LISTENING_LINE} on 7070\n`);
      resolve(performance.now());
    }),
  );
  await knocked;
  expect(knocks[0]).toBeGreaterThan(saidAt);
  abort.abort();
  await waited.catch(() => {});
  door.close();
});

test("cancelled", async () => {
  const abort = new AbortController();
  const guest = new Guest("http://127.0.0.1:1", "t".repeat(40));
  const waited = waitReady(guest, { consoleLog: join(directory, "x"), deadlineMs: 60_000, signal: abort.signal });
  abort.abort();
  expect(await waited.catch((error) => error)).toMatchObject({ code: "cancelled" });
});

test.each([1, 7, 1000])(
  "the console's line is found in a growing file, written %p characters at a time",
  async (size) => {
    const file = join(directory, `grow-${size}.log`);
    using hint = new ConsoleHint(file);
    const text = `${"noise ".repeat(20)}\n${AGENT_LISTENING_LINE} on 7070\n`;
    const seen = new Promise<void>((resolve) => hint.seen.addEventListener("abort", () => resolve()));
    for (let at = 0; at < text.length; at += size) {
      expect(hint.seen.aborted && at === 0).toBe(false);
      appendFileSync(file, text.slice(at, at + size));
    }
    await seen;
  },
);

test("a line that stood there before the watch began counts", () => {
  const file = join(directory, "old.log");
  writeFileSync(file, `${AGENT_LISTENING_LINE} on 7070\n`);
  using hint = new ConsoleHint(file);
  expect(hint.seen.aborted).toBe(true);
});
