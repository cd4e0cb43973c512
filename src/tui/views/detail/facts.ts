import type { Area } from "../../canvas/area.ts";
import type { Canvas, Style } from "../../canvas/canvas.ts";
import type { Click } from "../view.ts";

export type Fact = readonly [name: string, value: string, style?: Style];

/** Names and values in two columns. @returns rows it took */
export function drawFacts(canvas: Canvas<Click>, area: Area, facts: readonly Fact[]): number {
  const width = Math.min(16, Math.max(...facts.map(([name]) => name.length)) + 2);
  for (const [at, [name, value, style]] of facts.slice(0, area.height).entries()) {
    const row = { ...area, y: area.y + at, height: 1 };
    canvas.text({ ...row, width }, name, { ink: "muted" });
    canvas.text({ ...row, x: row.x + width, width: row.width - width }, value, style);
  }
  return Math.min(facts.length, area.height);
}
