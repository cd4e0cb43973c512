/** One line of the report: what we measured, beside the raw thing of the same run. */
export type Row = {
  what: string;
  ours: string;
  /** The raw counterpart; "-" where there is none. */
  raw: string;
  /** The figure the target speaks of. */
  figure: string;
  target: string;
  met: boolean;
  n: number;
};

export function table(rows: Row[]): string {
  const head = ["what", "ours", "raw", "figure", "target", "met", "n"];
  const cells = [
    head,
    ...rows.map((row) => [row.what, row.ours, row.raw, row.figure, row.target, row.met ? "yes" : "NO", String(row.n)]),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((line) => Bun.stringWidth(line[column] ?? ""))));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
