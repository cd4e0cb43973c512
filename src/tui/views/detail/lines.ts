import { type Area, cutBottom, inset } from "../../canvas/area.ts";
import type { Canvas, Style } from "../../canvas/canvas.ts";
import { rowsOf } from "../../state/detail.ts";
import type { Row } from "../../state/rows.ts";
import type { Click } from "../view.ts";
import { drawScrollbar } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

/** A log: at its end while it is followed, else where it was scrolled to. */
export const lines: PaneView = ({ canvas, area, state, detail }) => {
  const { scroll, problem } = detail;
  const all = detail.lines?.all() ?? [];
  const [body, foot] = cutBottom(inset(area, 1, 0, 0), 1);
  const width = Math.max(1, body.width - 2);
  detail.seen = { width, rows: body.height, most: 0 };
  const rows = rowsOf(detail);
  detail.seen.most = rows.end.line;
  const top = scroll.follow ? rows.end : rows.within({ line: scroll.top, row: scroll.row });
  const found = detail.lines?.holding(scroll.search) ?? [];
  for (const [at, row] of rows.from(top).entries())
    drawRow(canvas, { ...body, y: body.y + at, height: 1, width }, row, scroll.search, scroll.at === row.line);
  drawScrollbar(canvas, body, top.line, rows.end.line + body.height);

  const isLog = state.screen.name === "vm" && state.screen.pane === "logs";
  const said = [
    ...(isLog ? [`${detail.logSource}'s log`] : []),
    problem ?? `${scroll.follow ? "at the end" : `line ${Math.min(top.line + 1, all.length)}`} of ${all.length}`,
    ...(scroll.wrap ? ["wrapped"] : []),
    ...(scroll.search === "" ? [] : [`/${scroll.search}: ${placeIn(found, scroll.at)}`]),
  ];
  canvas.line(foot, said.join(", "), { ink: problem ? "bad" : "muted" });
};

function placeIn(found: readonly number[], at: number): string {
  const place = found.indexOf(at);
  return place < 0 ? String(found.length) : `${place + 1} of ${found.length}`;
}

/** What is searched is marked where it stands; the line that was gone to as a whole. */
function drawRow(canvas: Canvas<Click>, area: Area, { text }: Row, search: string, isChosen: boolean): void {
  const paper: Style = isChosen ? { paper: "selection" } : {};
  if (isChosen) canvas.line(area, "", paper);
  const folded = text.toLowerCase();
  const wanted = search.toLowerCase();
  const pieces: [string, Style][] = [];
  let from = 0;
  // Some letters have more or fewer small ones than they are themselves: places in the two would differ.
  if (wanted !== "" && folded.length === text.length)
    for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, from)) {
      const until = at + wanted.length;
      pieces.push([text.slice(from, at), paper], [text.slice(at, until), { ink: "warning", bold: true, ...paper }]);
      from = until;
    }
  canvas.pieces(area, [...pieces, [text.slice(from), paper]]);
}
