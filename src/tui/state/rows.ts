import { clean, wrap } from "../canvas/text.ts";

/** Where a page of rows begins: a line, and which row of it where it is wrapped. */
export type RowPlace = { line: number; row: number };
export const FIRST_ROW: RowPlace = { line: 0, row: 0 };
/** What is seen in one row: a line, or a part of one that is wrapped. */
export type Row = { text: string; line: number };

/** Lines of others' text as the rows of a page; only those that are shown, or passed over, are wrapped. */
export class Rows {
  /** From where everything to the end just fits. */
  readonly end: RowPlace;

  constructor(
    private readonly lines: readonly string[],
    private readonly size: { width: number; height: number },
    private readonly isWrapped: boolean,
  ) {
    let line = lines.length;
    let missing = size.height;
    while (line > 0 && missing > 0) missing -= this.of(--line).length;
    this.end = { line, row: Math.max(0, -missing) };
  }

  /** The rows of one line. */
  of(line: number): string[] {
    const text = clean(this.lines[line] ?? "");
    return this.isWrapped ? wrap(text, this.size.width) : [text];
  }

  /** A page. */
  from({ line, row }: RowPlace): Row[] {
    const rows: Row[] = [];
    for (let at = line; at < this.lines.length && rows.length < this.size.height + row; at++)
      rows.push(...this.of(at).map((text) => ({ text, line: at })));
    return rows.slice(row, row + this.size.height);
  }

  /** The place itself, or the end where that comes first. */
  within(place: RowPlace): RowPlace {
    const isBeyond = place.line > this.end.line || (place.line === this.end.line && place.row > this.end.row);
    return isBeyond ? this.end : place;
  }

  /** So many rows further down or up, and never beyond the ends. */
  moved(from: RowPlace, by: number): RowPlace {
    if (by <= 0) return this.within(this.#up(this.within(from), -by));
    let { line, row } = this.within(from);
    row += by;
    while (row > 0 && line < this.end.line) {
      const rows = this.of(line).length;
      if (row < rows) break;
      row -= rows;
      line += 1;
    }
    return this.within({ line, row });
  }

  /** Where a line is seen, with some of what came before it; of a wrapped one the row that holds `text`. */
  around(line: number, text: string): RowPlace {
    const row = this.of(line).findIndex((part) => part.toLowerCase().includes(text.toLowerCase()));
    return this.within(this.#up({ line, row: Math.max(0, row) }, Math.floor(this.size.height / 3)));
  }

  #up({ line, row }: RowPlace, by: number): RowPlace {
    let [at, left] = [line, row - by];
    while (left < 0 && at > 0) left += this.of(--at).length;
    return { line: at, row: Math.max(0, left) };
  }
}
