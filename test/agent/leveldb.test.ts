import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { levelDbKeys } from "../../agent/state/leveldb-keys.ts";
import { unsnappy } from "../../agent/state/snappy.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

describe("snappy", () => {
  test.each<[string, number[], string]>([
    ["a literal", [3, 2 << 2, 97, 98, 99], "abc"],
    ["a copy that overlaps itself", [9, 2 << 2, 97, 98, 99, ((6 - 4) << 2) | 1, 3], "abcabcabc"],
    ["a copy with an offset of two bytes", [6, 2 << 2, 97, 98, 99, ((3 - 1) << 2) | 2, 3, 0], "abcabc"],
    ["a literal with its length in a byte of its own", [70, 60 << 2, 69, ...Array(70).fill(120)], "x".repeat(70)],
  ])("%s", (_name, bytes, text) => {
    expect(unsnappy(Buffer.from(bytes)).toString()).toBe(text);
  });
  test.each<[string, number[]]>([
    ["an offset before the beginning", [4, 0, 97, 1, 9]],
    ["shorter than it says", [9, 0, 97]],
    ["longer than it says", [1, 2 << 2, 97, 98, 99]],
    ["a giant", [255, 255, 255, 255, 15, 0]],
  ])("refused: %s", (_name, bytes) => {
    expect(() => unsnappy(Buffer.from(bytes))).toThrow(RangeError);
  });
});

/** One write batch as a whole log record: sequence, then `+key` puts and `-key` deletes. */
function log(sequence: number, operations: string[]): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(sequence));
  const entries = operations.map((operation) => {
    const key = Buffer.from(operation.slice(1));
    const isPut = operation.startsWith("+");
    return Buffer.from([isPut ? 1 : 0, key.length, ...key, ...(isPut ? [1, 120] : [])]);
  });
  const batch = Buffer.concat([head, ...entries]);
  const record = Buffer.alloc(7);
  record.writeUInt16LE(batch.length, 4);
  record.writeUInt8(1, 6);
  return Buffer.concat([record, batch]);
}

describe("keys", () => {
  test("what was said last counts, in whichever file; what is not wanted is not looked at", () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("000005.log"), log(10, ["+a", "+b", "-c", "+x"]));
    writeFileSync(directory.join("000003.log"), log(1, ["+c", "-a", "+d"]));
    expect(levelDbKeys(directory.path, (key) => key !== "x").sort()).toEqual(["a", "b", "d"]);
  });
  test("a directory that is not there, and files of any content, do no harm", () => {
    expect(levelDbKeys("/nonexistent", () => true)).toEqual([]);
    using directory = temporaryDirectory();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("1.log", "1.ldb"), (bytes, name) => {
        writeFileSync(directory.join(name), bytes);
        expect(Array.isArray(levelDbKeys(directory.path, () => true))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
