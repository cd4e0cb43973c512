import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { HypeError } from "../../src/contract/index.ts";
import { boundLog } from "../../src/host/bounded-log.ts";
import { lockExclusively } from "../../src/host/exclusive-lock.ts";
import { ensurePrivateDir, fileError, tailFile, writeAtomic } from "../../src/host/files.ts";
import { run } from "../../src/host/run.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const failure = async (promise: Promise<unknown>): Promise<HypeError> =>
  (await promise.catch((thrown: unknown) => thrown)) as HypeError;

test("an atomic write is whole, private and leaves no temporary file", () => {
  using directory = temporaryDirectory();
  writeAtomic(directory.join("a"), "one");
  writeAtomic(directory.join("a"), "two");
  expect(readFileSync(directory.join("a"), "utf8")).toBe("two");
  expect(statSync(directory.join("a")).mode & 0o777).toBe(0o600);
  mkdirSync(directory.join("taken"));
  expect(() => writeAtomic(directory.join("taken"), "x")).toThrow();
  expect(readdirSync(directory.path).sort()).toEqual(["a", "taken"]);
});

test("what the file system says becomes an error with the path in it", () => {
  for (const [code, expected] of [
    ["ENOSPC", "disk_full"],
    ["EDQUOT", "disk_full"],
    ["EROFS", "state_unwritable"],
    ["EACCES", "state_unwritable"],
  ] as const) {
    const error = fileError(Object.assign(new Error("said so"), { code }), "/some/where") as HypeError;
    expect([error.code, error.message.includes("/some/where")]).toEqual([expected, true]);
  }
  const other = new Error("something else");
  expect(fileError(other, "/x")).toBe(other);
});

test("the tail of a file starts with a whole line", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("log"), Array.from({ length: 100 }, (_, index) => `line ${index}`).join("\n"));
  expect(tailFile(directory.join("log"), 20)).toBe("line 98\nline 99");
  expect(tailFile(directory.join("none"))).toBe("");
});

test("private directories are private", () => {
  using directory = temporaryDirectory();
  ensurePrivateDir(directory.join("a/b"));
  expect(statSync(directory.join("a/b")).mode & 0o777).toBe(0o700);
});

test("a lock has one holder, and a dead holder is none", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("lock");
  const program = `
    const { lockExclusively } = await import(${JSON.stringify(new URL("../../src/host/exclusive-lock.ts", import.meta.url).pathname)});
    lockExclusively(${JSON.stringify(path)});
    console.log("held");
    await new Promise(() => setInterval(() => {}, 1000));`;
  const holder = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  const reader = holder.stdout.getReader();
  await reader.read();
  expect(() => lockExclusively(path)).toThrow(expect.objectContaining({ code: "state_locked" }));
  holder.kill("SIGKILL");
  await holder.exited;
  using _held = lockExclusively(path);
});

test("a log that another process appends to stays bounded", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("console");
  using _bound = boundLog(path, 1000);
  const rotated = Promise.withResolvers<void>();
  const { watch } = await import("node:fs");
  const watcher = watch(directory.path, (_event, name) => name === "console.1" && rotated.resolve());
  const writer = Bun.spawn(["/bin/sh", "-c", `head -c 5000 /dev/zero >> ${path}`]);
  await writer.exited;
  await rotated.promise;
  watcher.close();
  await run(["/bin/sh", "-c", `echo after >> ${path}`]);
  expect(statSync(path).size).toBeLessThan(5000);
});

test("run captures, feeds, limits and cancels", async () => {
  expect(await run(["/bin/sh", "-c", "cat; echo e >&2; exit 3"], { stdin: "in" })).toEqual({
    code: 3,
    stdout: "in",
    stderr: "e\n",
  });
  expect((await failure(run(["no-such-program"]))).code).toBe("tool_missing");
  expect((await failure(run(["sleep", "60"], { timeoutMs: 20 }))).code).toBe("operation_timeout");
  const controller = new AbortController();
  const running = failure(run(["sleep", "60"], { signal: controller.signal }));
  controller.abort();
  expect((await running).code).toBe("cancelled");
});
