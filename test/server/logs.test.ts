import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newPart } from "../../src/server/agent-log.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
/** A VM with a console log of its own. */
function withLog(content: string | null): { name: string; file: string } {
  const name = `vm-${++count}`;
  server.engine.add(name);
  mkdirSync(join(server.engine.logDir, name), { recursive: true });
  const file = server.engine.logFiles(name).console;
  if (content !== null) writeFileSync(file, content);
  return { name, file };
}

/** Follows a log; `next(part)` resolves with everything read up to now, once it holds `part`. */
function follow(name: string) {
  // Bun sends the head of a reply with its first bytes: an empty log answers when it is empty no more.
  const opened = server.call(`/api/v1/vms/${name}/logs?follow=true`).then((reply) => reply.body!.getReader());
  let text = "";
  const decoder = new TextDecoder();
  return {
    async next(part: string): Promise<string> {
      while (!text.includes(part)) {
        const { done, value } = await (await opened).read();
        if (done) throw new Error(`ended with ${JSON.stringify(text)}`);
        text += decoder.decode(value, { stream: true });
      }
      return text;
    },
    async rest(): Promise<string> {
      for (;;) {
        const { done, value } = await (await opened).read();
        if (done) return text;
        text += decoder.decode(value, { stream: true });
      }
    },
    close: async () => (await opened).cancel(),
  };
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join("");

describe("logs", () => {
  const table: [name: string, content: string | null, query: string, expected: string][] = [
    ["the last lines", lines(1, 1000), "?tail=3", lines(998, 1000)],
    ["200 lines unless told", lines(1, 1000), "", lines(801, 1000)],
    ["fewer than asked for", lines(1, 2), "?tail=10", lines(1, 2)],
    ["exactly as many", lines(1, 3), "?tail=3", lines(1, 3)],
    ["none", lines(1, 3), "?tail=0", ""],
    ["a last line that is not closed", "a\nb\nc", "?tail=2", "b\nc"],
    ["empty lines count", "a\n\n\n", "?tail=2", "\n\n"],
    ["lines longer than a read", `a\n${"x".repeat(200_000)}\nb\n`, "?tail=2", `${"x".repeat(200_000)}\nb\n`],
    ["an empty file", "", "", ""],
    ["no file yet", null, "", ""],
  ];
  for (const [name, content, query, expected] of table)
    test(name, async () => {
      const vm = withLog(content);
      const reply = await server.call(`/api/v1/vms/${vm.name}/logs${query}`);
      expect(reply.headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(await reply.text()).toBe(expected);
    });

  test("the VMM's log is another file", async () => {
    const { name } = withLog("console\n");
    writeFileSync(server.engine.logFiles(name).vmm, "vmm\n");
    expect(await (await server.call(`/api/v1/vms/${name}/logs?source=vmm`)).text()).toBe("vmm\n");
  });

  test("the agent's log comes from the guest", async () => {
    server.engine.add("with-agent");
    server.engine.guests.set("with-agent", { logs: async () => "a\nb\nc\n" } as never);
    expect(await (await server.call("/api/v1/vms/with-agent/logs?source=agent&tail=2")).text()).toBe("b\nc\n");
  });

  const parts: [name: string, before: string, now: string, expected: string][] = [
    ["nothing new", "a\nb\n", "a\nb\n", ""],
    ["a line more", "a\nb\n", "a\nb\nc\n", "c\n"],
    ["the oldest fell out", "a\nb\nc\nd\ne\n", "b\nc\nd\ne\nf\n", "f\n"],
    ["the agent was restarted", "a\nb\n", "x\n", "x\n"],
    ["the first lines", "", "a\n", "a\n"],
  ];
  for (const [name, before, now, expected] of parts)
    test(`follow the agent: ${name}`, () => expect(newPart(before, now)).toBe(expected));

  test("follow: what is added arrives", async () => {
    const { name, file } = withLog("old\n");
    const log = follow(name);
    await log.next("old\n");
    appendFileSync(file, "new 1\n");
    await log.next("new 1\n");
    appendFileSync(file, "new 2\n");
    expect(await log.next("new 2\n")).toBe("old\nnew 1\nnew 2\n");
    await log.close();
  });

  test("follow: a file that is cut is read on from its new beginning", async () => {
    const { name, file } = withLog("a long old content\n");
    const log = follow(name);
    await log.next("content\n");
    truncateSync(file, 0);
    appendFileSync(file, "after\n");
    expect(await log.next("after\n")).toBe("a long old content\nafter\n");
    await log.close();
  });

  test("follow: a file that is replaced, and one that comes later", async () => {
    const { name, file } = withLog(null);
    const log = follow(name);
    writeFileSync(file, "first\n");
    await log.next("first\n");
    writeFileSync(`${file}.new`, "second, a longer one\n");
    renameSync(`${file}.new`, file);
    expect(await log.next("second, a longer one\n")).toBe("first\nsecond, a longer one\n");
    await log.close();
  });

  test("follow: ends when the VM is deleted", async () => {
    const { name } = withLog("last words\n");
    const log = follow(name);
    await log.next("last words\n");
    await server.engine.delete(name);
    expect(await log.rest()).toBe("last words\n");
  });

  test("follow: ends when the server shuts down", async () => {
    await using other = startTestServer();
    other.engine.add("demo");
    mkdirSync(join(other.engine.logDir, "demo"), { recursive: true });
    writeFileSync(other.engine.logFiles("demo").console, "hello\n");
    const reply = await other.call("/api/v1/vms/demo/logs?follow=true");
    other.shutDown.abort();
    expect(await reply.text()).toBe("hello\n");
  });
});
