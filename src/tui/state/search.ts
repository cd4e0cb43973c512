import type { Scroll } from "./detail.ts";

/** Where a log stands so that a line is seen, with some of what came before it. @param rows of the pane */
export const placeOf = (at: number, rows: number): Pick<Scroll, "top" | "follow"> => ({
  top: Math.max(0, at - Math.floor(rows / 3)),
  follow: false,
});
