import { sanitizeLine } from "../../text/sanitize.ts";

export type Column<Row> = {
  title: string;
  value: (row: Row) => string;
  /** Numbers read better at the right. */
  align?: "left" | "right";
  /** Applied after padding, so that colours do not count as width. */
  paint?: (cell: string, row: Row) => string;
};

/** Pads by what a terminal shows: CJK and emoji take two columns, combining marks none. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
  return align === "right" ? space + text : text + space;
}

/** Aligned columns with a head line, two spaces apart, no trailing blanks. Cells are made harmless here, once. */
export function table<Row>(columns: Column<Row>[], rows: Row[], paintTitle = (title: string) => title): string {
  const cells = rows.map((row) => columns.map((column) => sanitizeLine(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(Bun.stringWidth(column.title), ...cells.map((line) => Bun.stringWidth(line[index] ?? ""))),
  );
  const last = columns.length - 1;
  const layOut = (texts: string[], paint: (cell: string, index: number) => string) =>
    texts
      .map((text, index) => {
        const align = columns[index]?.align ?? "left";
        const padded = index === last && align === "left" ? text : pad(text, widths[index] ?? 0, align);
        return paint(padded, index);
      })
      .join("  ")
      .trimEnd();
  const head = layOut(
    columns.map((column) => column.title),
    paintTitle,
  );
  const body = cells.map((line, rowIndex) =>
    layOut(line, (cell, index) => columns[index]?.paint?.(cell, rows[rowIndex] as Row) ?? cell),
  );
  return [head, ...body].map((line) => `${line}\n`).join("");
}

/** `name   value` lines, names aligned; pairs whose value is null are left out. */
export function pairs(entries: [name: string, value: string | null][], paintName = (name: string) => name): string {
  const shown = entries.filter((entry): entry is [string, string] => entry[1] !== null);
  const width = Math.max(0, ...shown.map(([name]) => Bun.stringWidth(name)));
  return shown.map(([name, value]) => `${paintName(pad(name, width))}  ${sanitizeLine(value)}\n`).join("");
}
