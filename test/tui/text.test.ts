import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { edited } from "../../src/tui/overlays/edit.ts";
import { erase, insert, type Line, lineOf, move, visible } from "../../src/tui/canvas/line-editor.ts";
import { sparkline } from "../../src/tui/canvas/sparkline.ts";
import { layout, scrolledTo } from "../../src/tui/canvas/table.ts";
import { clean, clip, clipStart, fit, graphemes, widthOf, wrap } from "../../src/tui/canvas/text.ts";

/** What pages and people write: letters, wide ones, emoji with joiners, marks, right-to-left, control characters. */
const text = fc.string({
  unit: fc.constantFrom(
    "a",
    "Z",
    " ",
    "界",
    "é",
    "👩‍💻",
    "🇩🇪",
    "ש",
    "\u0301",
    "\u001b",
    "\u0007",
    "\n",
    "\u202e",
    "\u200b",
    "ﷺ",
  ),
  maxLength: 60,
});
const width = fc.integer({ min: 0, max: 40 });

describe("text on a terminal", () => {
  test("nothing that a terminal acts on is left, however it is written", () => {
    fc.assert(
      fc.property(text, (given) =>
        // eslint-disable-next-line no-control-regex
        expect(clean(given)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/),
      ),
    );
    expect(clean("x".repeat(1_000_000))).toHaveLength(4_096);
  });

  test("clipped text fits, and is the beginning or the end of what was given", () => {
    fc.assert(
      fc.property(text, width, (given, cells) => {
        const shown = clean(given);
        for (const cut of [clip(shown, cells), clipStart(shown, cells)])
          expect(widthOf(cut)).toBeLessThanOrEqual(cells);
        if (cells > 0 && widthOf(shown) <= cells) expect(clip(shown, cells)).toBe(shown);
        if (cells > 0) expect(shown.startsWith(clip(shown, cells).replace(/…$/, ""))).toBe(true);
      }),
    );
  });

  test("fitted text has exactly the width", () => {
    fc.assert(fc.property(text, width, (given, cells) => expect(widthOf(fit(clean(given), cells))).toBe(cells)));
  });

  test("wrapped lines fit, and nothing but spaces is lost", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 40 }), (given, cells) => {
        const shown = clean(given);
        const lines = wrap(shown, cells);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(cells, 2));
        expect(lines.join("").replaceAll(" ", "")).toBe(shown.replaceAll(" ", ""));
      }),
    );
  });
});

describe("a line that is edited", () => {
  const line = text.map((given) => lineOf(clean(given)));
  const valid = ({ text: now, cursor }: Line) => cursor >= 0 && cursor <= graphemes(now).length;

  test("keeps its cursor within the text, whatever is done", () => {
    const change = fc.oneof(
      text.map((added) => (at: Line) => insert(at, added)),
      fc
        .constantFrom("left", "right", "start", "end", "word-left", "word-right")
        .map((where) => (at: Line) => move(at, where as "left")),
      fc
        .constantFrom("before", "after", "word", "to-start", "to-end")
        .map((what) => (at: Line) => erase(at, what as "before")),
    );
    fc.assert(
      fc.property(line, fc.array(change, { maxLength: 20 }), width, (begin, changes, cells) => {
        const end = changes.reduce((at, one) => one(at), begin);
        expect(valid(end)).toBe(true);
        expect(visible(end, Math.max(2, cells)).cursorX).toBeLessThanOrEqual(Math.max(2, cells));
      }),
    );
  });

  test.each<[string, Line, Line]>([
    ["backspace takes a whole emoji", erase(lineOf("a👩‍💻"), "before"), lineOf("a")],
    ["a word", erase(lineOf("one two "), "word"), lineOf("one ")],
    ["a paste of lines becomes one", insert(lineOf("a"), "b\nc\td"), lineOf("ab␊c d")],
    ["to the start", erase({ text: "abc", cursor: 2 }, "to-start"), { text: "c", cursor: 0 }],
  ])("%s", (_what, found, expected) => expect(found).toEqual(expected));

  test("a megabyte of paste is cut", () => {
    expect(insert(lineOf(""), "x".repeat(1_000_000)).text.length).toBeLessThanOrEqual(8_192);
  });

  test("keys it does not know are not for it", () => {
    const key = { ctrl: false, shift: false, meta: false, sequence: "" };
    expect(edited(lineOf("a"), { ...key, name: "f5", sequence: "\u001b[15~" })).toBeNull();
    expect(edited(lineOf("a"), { ...key, name: "q", ctrl: true, sequence: "\u0011" })).toBeNull();
    expect(edited(lineOf("a"), { ...key, name: "b", sequence: "b" })).toEqual(lineOf("ab"));
  });
});

test("sparklines: the newest at the right, nothing above the top", () => {
  expect(sparkline([0, 50, 100, 900], 6, 100)).toBe("  ▁▄██");
  expect(sparkline([1], 3, 0)).toBe("  ▁");
});

describe("tables", () => {
  const column = (id: string, rank: number, grow?: number) => ({
    id,
    title: id,
    width: 10,
    rank,
    ...(grow && { grow }),
    cell: () => "",
  });
  test("columns of the highest rank go first, those of rank 0 never", () => {
    const columns = [column("a", 0, 1), column("b", 2), column("c", 1)];
    const ids = (cells: number) => layout(columns, cells).map(({ column: { id } }) => id);
    expect([ids(40), ids(25), ids(12), ids(3)]).toEqual([["a", "b", "c"], ["a", "c"], ["a"], ["a"]]); // prettier-ignore
    expect(layout(columns, 40).map((shown) => shown.width)).toEqual([16, 10, 10]);
  });
  test("the chosen row is always seen", () => {
    fc.assert(
      fc.property(
        fc.nat(600),
        fc.nat(600),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 600 }),
        (cursor, top, height, count) => {
          const at = Math.min(cursor, count - 1);
          const from = scrolledTo(at, top, height, count);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(at >= from && at < from + height).toBe(true);
        },
      ),
    );
  });
});
