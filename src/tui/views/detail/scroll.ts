import type { Area } from "../../canvas/area.ts";
import type { Canvas } from "../../canvas/canvas.ts";
import type { Detail } from "../../state/detail.ts";
import { act, type Click, NOTHING } from "../view.ts";

/** First of so many rows to draw; notes how far down one can go. */
export function topOf(detail: Detail, count: number, rows: number): number {
  detail.seen = { width: 0, rows, most: Math.max(0, count - rows) };
  return Math.min(detail.scroll.top, detail.seen.most);
}

/** Where in the whole one is, in the area's last column; nothing where all is seen. The wheel scrolls the area. */
export function drawScrollbar(canvas: Canvas<Click>, area: Area, top: number, count: number): void {
  canvas.spot(area, NOTHING, { up: act("previous"), down: act("next") });
  if (count <= area.height || area.height < 2) return;
  const length = Math.max(1, Math.round((area.height * area.height) / count));
  const from = Math.round(((area.height - length) * top) / (count - area.height));
  for (let at = 0; at < area.height; at++)
    canvas.text(
      { x: area.x + area.width - 1, y: area.y + at, width: 1, height: 1 },
      at >= from && at < from + length ? "┃" : "│",
      {
        ink: at >= from && at < from + length ? "muted" : "border",
      },
    );
}
