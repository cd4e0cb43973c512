import { expect, test } from "bun:test";
import { createLog } from "../../src/log/log.ts";

function recorder(level: "debug" | "warn" = "debug") {
  const lines: string[] = [];
  return { lines, log: createLog({ level, write: (line) => lines.push(line) }) };
}

test("a line is one JSON object with its room", () => {
  const { lines, log } = recorder();
  log.room("engine").info("created", { vm_name: "demo" });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "info",
    room: "engine",
    message: "created",
    vm_name: "demo",
  });
  expect(lines[0]?.endsWith("\n")).toBe(true);
});

test("lines below the level are not written", () => {
  const { lines, log } = recorder("warn");
  log.info("no");
  log.warn("yes");
  expect(lines.length).toBe(1);
});

test.each([
  ["by field name", { admin_key: "abcdef123456" }, "abcdef123456"],
  ["in depth", { request: { authorization: "Bearer abcdef123456" } }, "abcdef123456"],
  ["by shape in text", { url: "/cdp?token=aaaaaa.bbbbbb.cccccc" }, "bbbbbb"],
  ["by shape in an error", { cause: new Error("key hype_abcdefghijklmnop was refused") }, "ghijklmnop"],
])("secrets are redacted %s", (_name, fields, secret) => {
  const { lines, log } = recorder();
  log.error("failed", fields);
  expect(lines[0]).not.toContain(secret);
});
