import { type Area, cutTop } from "./area.ts";
import type { Canvas, Style } from "./canvas.ts";

export type Cell = string | readonly [text: string, style: Style];
export type Column<Row> = {
  id: string;
  title: string;
  /** Cells; `grow` columns share what is left. */
  width: number;
  grow?: number;
  align?: "left" | "right";
  /** Columns of higher rank go first when there is no room; 0 stays always. */
  rank: number;
  cell(row: Row): Cell;
};

export type TableOptions<Row, Action> = {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  /** Index of the row that is chosen; -1: none. */
  cursor: number;
  /** Index of the first row shown. */
  top: number;
  isMarked?: (row: Row) => boolean;
  /** A row that is one text over all columns; null: one of cells. */
  head?: (row: Row) => Cell | null;
  /** Marks the column that is sorted by. */
  sort?: { id: string; descending: boolean };
  onRow?: (row: Row, index: number) => Action;
  /** What a click on a head does; null: nothing. */
  onHead?: (id: string) => Action | null;
  wheel?: { up: Action; down: Action };
};

const GAP = 2;

/** Which columns have room in so many cells, and how wide each is. */
export function layout<Row>(columns: readonly Column<Row>[], width: number): { column: Column<Row>; width: number }[] {
  const needed = (list: readonly Column<Row>[]) => list.reduce((sum, column) => sum + column.width + GAP, -GAP);
  let shown = [...columns];
  while (shown.length > 1 && needed(shown) > width) {
    const worst = Math.max(...shown.map(({ rank }) => rank));
    if (worst === 0) break;
    const at = shown.findLastIndex(({ rank }) => rank === worst);
    shown = shown.filter((_, index) => index !== at);
  }
  const spare = Math.max(0, width - needed(shown));
  const shares = shown.reduce((sum, { grow = 0 }) => sum + grow, 0);
  return shown.map((column) => ({
    column,
    width: column.width + (shares > 0 ? Math.floor((spare * (column.grow ?? 0)) / shares) : 0),
  }));
}

/** First row to show so that the chosen one is seen, moved as little as possible. */
export const scrolledTo = (cursor: number, top: number, height: number, count: number): number => {
  const most = Math.max(0, count - height);
  if (cursor < 0) return Math.min(top, most);
  if (cursor < top) return cursor;
  if (cursor >= top + height) return Math.min(most, cursor - height + 1);
  return Math.min(top, most);
};

/** Heads, then one line a row. Only rows that are seen cost anything. */
export function drawTable<Row, Action>(canvas: Canvas<Action>, area: Area, options: TableOptions<Row, Action>): void {
  const [head, body] = cutTop(area, 1);
  const shown = layout(options.columns, area.width - 2);
  canvas.line(head, "", { paper: "bar" });
  place(head.x + 2, shown, (x, width, { id, title, align }) => {
    const isSorted = options.sort?.id === id;
    const arrow = isSorted ? (options.sort?.descending ? "▼" : "▲") : "";
    const at = { x, y: head.y, width, height: 1 };
    const action = options.onHead?.(id);
    if (action) canvas.spot(at, action);
    canvas.line(at, title + arrow, { ink: isSorted ? "accent" : "muted", paper: "bar", bold: true }, align);
  });
  const rows = options.rows.slice(options.top, options.top + body.height);
  for (const [at, row] of rows.entries()) {
    const index = options.top + at;
    const isChosen = index === options.cursor;
    const line = { ...body, y: body.y + at, height: 1 };
    const paper = isChosen ? ("selection" as const) : undefined;
    const isMarked = options.isMarked?.(row) ?? false;
    canvas.line(line, `${isChosen ? "❯" : " "}${isMarked ? "●" : " "}`, {
      ink: isMarked ? "marked" : "accent",
      ...(paper && { paper }),
    });
    const head = options.head?.(row);
    if (head) {
      const [text, style] = typeof head === "string" ? [head, {}] : head;
      canvas.text({ ...line, x: line.x + 2, width: line.width - 2 }, text, style);
    } else
      place(line.x + 2, shown, (x, width, column) => {
        const cell = column.cell(row);
        const [text, style] = typeof cell === "string" ? [cell, {}] : cell;
        const looks = { ...style, ...(isChosen && { bold: true }), ...(paper && { paper }) };
        canvas.line({ x, y: line.y, width, height: 1 }, text, looks, column.align);
      });
    if (options.onRow) canvas.spot(line, options.onRow(row, index), options.wheel);
  }
}

function place<Row>(
  from: number,
  shown: { column: Column<Row>; width: number }[],
  draw: (x: number, width: number, column: Column<Row>) => void,
): void {
  let x = from;
  for (const { column, width } of shown) {
    draw(x, width, column);
    x += width + GAP;
  }
}
