import { type Area, cutTop } from "../../canvas/area.ts";
import type { Canvas, Style } from "../../canvas/canvas.ts";
import { clean, clip, wrap } from "../../canvas/text.ts";
import type { Detail } from "../../state/detail.ts";
import type { Click } from "../view.ts";
import { drawScrollbar, topOf } from "./scroll.ts";

export type Fact = readonly [name: string, value: string, style?: Style];

const WIDEST_NAME = 20;

/** Names and values in two columns, as many rows each as it takes: nothing is cut off while there is room for it. */
function rowsOf(facts: readonly Fact[], nameWidth: number, width: number, most: number): Fact[] {
  return facts.flatMap(([name, value, style]): Fact[] => {
    const all = wrap(clean(value), width);
    const shown = all.slice(0, most);
    if (all.length > most) shown[most - 1] = clip(`${shown[most - 1]}……`, width);
    return shown.map((text, at): Fact => [at === 0 ? clip(name, nameWidth - 2) : "", text, style ?? {}]);
  });
}

/**
 * Facts from the area's top, scrolled where they are more than it has rows.
 * @param mostRows of one fact; the rest of it is cut off
 * @returns what is left below them
 */
export function drawFacts(
  canvas: Canvas<Click>,
  area: Area,
  facts: readonly Fact[],
  { detail, mostRows = Infinity }: { detail?: Detail; mostRows?: number } = {},
): Area {
  const nameWidth = Math.min(WIDEST_NAME, Math.max(...facts.map(([name]) => name.length)) + 2);
  // The last column is the scrollbar's.
  const rows = rowsOf(facts, nameWidth, Math.max(1, area.width - nameWidth - 2), mostRows);
  const [used, rest] = cutTop(area, rows.length);
  const top = detail ? topOf(detail, rows.length, used.height) : 0;
  for (const [at, [name, value, style]] of rows.slice(top, top + used.height).entries()) {
    const row = { ...used, y: used.y + at, height: 1 };
    canvas.text({ ...row, width: nameWidth }, name, { ink: "muted" });
    canvas.text({ ...row, x: row.x + nameWidth, width: row.width - nameWidth - 1 }, value, style);
  }
  if (detail) drawScrollbar(canvas, used, top, rows.length);
  return rest;
}
