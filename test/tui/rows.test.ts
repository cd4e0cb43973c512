import { describe, expect, test } from "bun:test";
import { FIRST_ROW, type RowPlace, Rows } from "../../src/tui/state/rows.ts";

/** Lines of one to four rows of five columns. */
const lines = Array.from({ length: 12 }, (_, n) => "abcde ".repeat(1 + (n % 4)).trim());
const rowsOf = (height: number, isWrapped = true) => new Rows(lines, { width: 5, height }, isWrapped);
/** All there is, by taking one long page. */
const every = rowsOf(1_000).from(FIRST_ROW);
/** Which row of the whole a place is. */
const placeIn = ({ line, row }: RowPlace) => every.findIndex((one) => one.line === line) + row;

describe.each([1, 3, 7, 29, 30, 31, 100])("a page of %p rows", (height) => {
  const rows = rowsOf(height);
  const most = Math.max(0, every.length - height);

  test("ends where everything to the end just fits", () => {
    expect(placeIn(rows.end)).toBe(most);
    expect(rows.from(rows.end)).toEqual(every.slice(most, most + height));
  });

  test("moves by as many rows as it is told, and stays within the ends", () => {
    for (let from = 0; from <= most; from++)
      for (const by of [-1_000, -height, -2, -1, 0, 1, 2, height, 1_000]) {
        const at = rows.moved(rows.moved(FIRST_ROW, from), by);
        expect([from, by, placeIn(at)]).toEqual([from, by, Math.min(most, Math.max(0, from + by))]);
        expect(rows.from(at)).toEqual(every.slice(placeIn(at), placeIn(at) + height));
      }
  });

  test("shows the line that is looked for, with some of what came before it", () => {
    for (const line of lines.keys()) {
      const page = rows.from(rows.around(line, "abcde"));
      expect(page.some((row) => row.line === line)).toBe(true);
      if (height >= 3) expect(page[0]!.line === line && line > 1 && placeIn(rows.end) > 0).toBe(false);
    }
  });
});

test("of a wrapped line the row is shown that holds what is looked for", () => {
  const long = ["first", Array.from({ length: 200 }, (_, n) => `w${n}`).join(" "), "last"];
  const rows = new Rows(long, { width: 10, height: 6 }, true);
  const page = rows.from(rows.around(1, "W123")).map(({ text }) => text);
  expect(page.join(" ")).toContain("w123");
  expect(page.join(" ")).not.toContain("first");
});

test("unwrapped, a line is a row", () => {
  expect(rowsOf(3, false).end).toEqual({ line: 9, row: 0 });
  expect(
    rowsOf(3, false)
      .from(FIRST_ROW)
      .map(({ line }) => line),
  ).toEqual([0, 1, 2]);
});

test("of nothing there is nothing", () => {
  const rows = new Rows([], { width: 5, height: 3 }, true);
  expect([rows.end, rows.from(FIRST_ROW), rows.moved(FIRST_ROW, 5)]).toEqual([FIRST_ROW, [], FIRST_ROW]);
});
