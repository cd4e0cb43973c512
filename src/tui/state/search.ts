import type { Scroll } from "./detail.ts";

/** Indices of the lines that hold the text, capitals or not; "" is held by none. */
export function linesWith(lines: readonly string[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (wanted === "") return [];
  return lines.flatMap((line, at) => (line.toLowerCase().includes(wanted) ? [at] : []));
}

/** Where a log stands so that a line is seen, with some of what came before it. @param rows of the pane */
export const placeOf = (at: number, rows: number): Pick<Scroll, "top" | "follow"> => ({
  top: Math.max(0, at - Math.floor(rows / 3)),
  follow: false,
});
