import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import * as fc from "fast-check";
import { memoryMb, seconds } from "../../src/cli/arguments/quantities.ts";
import { colours } from "../../src/cli/output/colours.ts";
import { logWriter } from "../../src/cli/output/log-writer.ts";
import { pngSize } from "../../src/cli/output/picture-size.ts";
import { createProgress } from "../../src/cli/output/progress.ts";
import { safeJson, sanitizeLine, sanitizeText } from "../../src/text/sanitize.ts";
import { table } from "../../src/cli/output/table.ts";
import { age, bytes, duration } from "../../src/text/units.ts";

/** What a terminal acts on or is misled by. */
const HARMFUL = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
const hostile = fc.string({
  unit: fc.oneof(fc.constantFrom("\x1b", "\x9b", "\u202e", "\r", "\n", "\x7f", "\x00"), fc.string()),
});

describe("sanitising", () => {
  test("leaves nothing harmful, whatever comes", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(sanitizeText(text)).not.toMatch(HARMFUL);
        expect(sanitizeLine(text)).not.toMatch(/[\n\t]/);
      }),
    );
  });

  test("JSON stays the same value and becomes harmless", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const json = safeJson({ text });
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(HARMFUL);
        expect(json).not.toContain("\n");
      }),
    );
  });

  test("harmless text stays as it is", () => {
    for (const text of ["héllo 漢字 🚀", "a\tb\nc", ""]) expect(sanitizeText(text)).toBe(text);
  });
});

test("tables align by what a terminal shows", () => {
  const columns = [
    { title: "A", value: (row: [string, string]) => row[0] },
    { title: "N", value: (row: [string, string]) => row[1], align: "right" as const },
  ];
  expect(
    table(columns, [
      ["漢字", "1"],
      ["abc", "22"],
      ["🚀", "333"],
    ]),
  ).toBe("A       N\n漢字    1\nabc    22\n🚀    333\n");
});

test.each([
  [duration(0), "0 ms"],
  [duration(999), "999 ms"],
  [duration(999.6), "1.0 s"],
  [duration(59_960), "1 min 0 s"],
  [duration(125_000), "2 min 5 s"],
  [bytes(999), "999 B"],
  [bytes(1000), "1.0 kB"],
  [bytes(999_949), "1.0 MB"],
  [bytes(433_000_000), "433 MB"],
  [age("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:59Z")), "59s"],
  [age("2026-01-01T00:00:00Z", Date.parse("2026-01-03T01:00:00Z")), "2d"],
  [age("2026-01-01T00:00:10Z", Date.parse("2026-01-01T00:00:00Z")), "0s"],
])("%s is %s", (said, expected) => expect(said).toBe(expected));

test.each([
  [memoryMb("m", "512"), 512],
  [memoryMb("m", "2g"), 2048],
  [memoryMb("m", "512MB"), 512],
  [seconds("t", "90"), 90],
  [seconds("t", "1h30m5s"), 5405],
  [seconds("t", "2d"), 172_800],
])("%p is %p", (said, expected) => expect(said).toBe(expected));

test("the size of a PNG stands in its head; other bytes have none", () => {
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAAElFTkSuQmCC", "base64");
  expect(pngSize(png)).toEqual({ width: 3, height: 2 });
  expect(pngSize(Buffer.from("not a picture at all, whatever it says"))).toBeNull();
  expect(pngSize(Buffer.alloc(0))).toBeNull();
});

describe("progress", () => {
  const record = (isTerminal: boolean) => {
    const written: string[] = [];
    const stream = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
    return { written, progress: createProgress({ stream, isTerminal, columns: 40, colours: colours(false) }) };
  };

  test("is whole lines where there is no terminal", () => {
    const { written, progress } = record(false);
    progress.step("One");
    progress.detail("never shown");
    progress.step("Two\x1b[2J");
    progress.done("Did two");
    progress[Symbol.dispose]();
    expect(written.join("").replaceAll(/\(\d+ ms\)/g, "(T)")).toBe("One ...\nOne (T)\nTwo␛[2J ...\nDid two (T)\n");
  });

  test("on a terminal never wraps its line, and leaves no spinner behind", () => {
    const { written, progress } = record(true);
    progress.step("A step with a name that is much longer than the forty columns there are");
    for (const piece of written) expect(Bun.stringWidth(piece.replaceAll("\r\x1b[K", ""))).toBeLessThanOrEqual(40);
    progress[Symbol.dispose]();
    expect(written.at(-1)).toBe("\r\x1b[K");
  });
});

test("log lines are JSON for machines and one harmless line for people", () => {
  const written: string[] = [];
  const stream = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
  const line = `${JSON.stringify({ at: "2026-01-02T03:04:05Z", level: "warn", room: "engine", message: "odd\x1b[2J", vm: "demo", n: 1 })}\n`;
  logWriter(stream, false, colours(false))(line);
  logWriter(stream, true, colours(false))(line);
  expect(written[0]).toBe(line);
  expect(written[1]).toMatch(/^\d\d:\d\d:05 warn  engine {6}odd␛\[2J {2}vm=demo n=1\n$/);
});
