import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  endProcess,
  executableOf,
  identify,
  isAlive,
  signalProcess,
  spawnDetached,
  waitGone,
} from "../../src/host/process.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const started = (directory: { join(...parts: string[]): string; path: string }, script: string) =>
  spawnDetached(["/bin/sh", "-c", script], { cwd: directory.path, logFile: directory.join("log") });

test("a detached program has its own session, writes to the file and reports its end", async () => {
  using directory = temporaryDirectory();
  const child = started(directory, 'echo out; echo err >&2; test "$(cut -d" " -f6 /proc/$$/stat)" = "$$" && exit 7');
  expect(await child.exited).toEqual({ exitCode: 7, signal: null });
  expect(readFileSync(directory.join("log"), "utf8")).toBe("out\nerr\n");
  expect(isAlive(child.identity)).toBe(false);
});

test("a process is known by pid, start time and boot, not by pid alone", async () => {
  using directory = temporaryDirectory();
  const child = started(directory, "exec sleep 60");
  try {
    expect(isAlive(child.identity)).toBe(true);
    const reused = { ...child.identity, startTicks: child.identity.startTicks - 1 };
    const otherBoot = { ...child.identity, bootId: "another" };
    for (const stranger of [reused, otherBoot]) {
      expect(isAlive(stranger)).toBe(false);
      expect(signalProcess(stranger, "SIGKILL")).toBe(false);
      expect(await waitGone(stranger, 0)).toBe(true);
      expect(executableOf(stranger)).toBeNull();
    }
    expect(isAlive(child.identity)).toBe(true);
  } finally {
    await endProcess(child.identity, 0);
  }
});

test("ending is graceful first, then forced, and harmless twice", async () => {
  using directory = temporaryDirectory();
  const polite = started(directory, "exec sleep 60");
  await endProcess(polite.identity, 5_000);
  expect((await polite.exited).signal).toBe("SIGTERM");
  const deaf = started(directory, "trap '' TERM; echo ready; while :; do sleep 60; done");
  while (!readFileSync(directory.join("log"), "utf8").includes("ready"))
    await new Promise((next) => setImmediate(next));
  await endProcess(deaf.identity, 50);
  expect((await deaf.exited).signal).toBe("SIGKILL");
  await endProcess(deaf.identity, 50);
});

test("a command name with brackets and spaces does not confuse the reader", () => {
  expect(identify(process.pid)).toMatchObject({
    pid: process.pid,
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  });
  expect(identify(2 ** 22 + 1)).toBeNull();
});
