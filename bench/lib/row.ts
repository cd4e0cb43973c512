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
  /** Why a target is missed, as far as it was found out. */
  reason?: string;
};

export function table(rows: Row[]): string {
  const head = ["what", "ours", "raw", "figure", "target", "met", "n"];
  const cells = [
    head,
    ...rows.map((row) => [row.what, row.ours, row.raw, row.figure, row.target, row.met ? "yes" : "NO", String(row.n)]),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((line) => Bun.stringWidth(line[column] ?? ""))));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell)))
      .join("  ")
      .trimEnd(),
  );
  const missed = rows
    .filter((row) => !row.met)
    .map((row) => `NO: ${row.what}: ${row.reason ?? "the cause is not known"}`);
  return [...lines, ...(missed.length > 0 ? ["", ...missed] : [])].join("\n");
}
