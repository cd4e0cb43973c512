import { describe, expect, test } from "bun:test";
import { clipReason, sendableClose } from "../../../src/server/cdp/close-codes.ts";

const lost = { code: 1011, reason: "lost" };

describe("a close as it is sent on", () => {
  const table: [code: number, reason: string, expected: { code: number; reason: string }][] = [
    [1000, "done", { code: 1000, reason: "done" }],
    [1001, "", { code: 1001, reason: "" }],
    [1005, "", { code: 1000, reason: "" }],
    [1006, "whatever", lost],
    [1004, "", lost],
    [1015, "", lost],
    [999, "", lost],
    [1013, "later", { code: 1013, reason: "later" }],
    [3000, "ours", { code: 3000, reason: "ours" }],
    [4999, "ours", { code: 4999, reason: "ours" }],
    [5000, "", lost],
  ];
  for (const [code, reason, expected] of table)
    test(`${code}`, () => expect(sendableClose(code, reason, lost)).toEqual(expected));
});

test("a reason is cut to 123 bytes, never inside a character", () => {
  expect(clipReason("short")).toBe("short");
  expect(clipReason("é".repeat(100))).toBe("é".repeat(61));
  expect(Buffer.byteLength(clipReason("🙂".repeat(100)))).toBe(120);
});
