import { type Area, cutBottom, inset } from "../../canvas/area.ts";
import type { Canvas, Style } from "../../canvas/canvas.ts";
import { clean, wrap } from "../../canvas/text.ts";
import type { Click } from "../view.ts";
import { drawScrollbar } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

/** What is seen in one row of the pane: a line, or a part of one that is wrapped. */
type Row = { text: string; line: number };

/** A log: at its end while it is followed, else where it was scrolled to. */
export const lines: PaneView = ({ canvas, area, state, detail }) => {
  const { scroll, problem } = detail;
  const all = detail.lines?.all() ?? [];
  const [body, foot] = cutBottom(inset(area, 1, 0, 0), 1);
  const width = Math.max(1, body.width - 2);
  const wrapped = (at: number): Row[] => {
    const text = clean(all[at] ?? "");
    return (scroll.wrap ? wrap(text, width) : [text]).map((part) => ({ text: part, line: at }));
  };
  const end = lastPage(all.length, body.height, wrapped);
  detail.seen = { rows: body.height, most: end.first };
  const top = Math.min(scroll.top, end.first);
  const rows = scroll.follow ? end.rows : rowsFrom(top, all.length, body.height, wrapped);
  const found = detail.lines?.holding(scroll.search) ?? [];
  for (const [at, row] of rows.entries())
    drawRow(canvas, { ...body, y: body.y + at, height: 1, width }, row, scroll.search, scroll.at === row.line);
  drawScrollbar(canvas, body, scroll.follow ? end.first : top, end.first + body.height);

  const isLog = state.screen.name === "vm" && state.screen.pane === "logs";
  const said = [
    ...(isLog ? [`${detail.logSource}'s log`] : []),
    problem ?? `${scroll.follow ? "at the end" : `line ${Math.min(top + 1, all.length)}`} of ${all.length}`,
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

/** The end, its newest line whole. @returns `first`: the line from which everything to the end fits */
function lastPage(count: number, height: number, wrapped: (at: number) => Row[]): { first: number; rows: Row[] } {
  const rows: Row[] = [];
  let first = count;
  while (first > 0 && rows.length < height) {
    first -= 1;
    rows.unshift(...wrapped(first));
  }
  if (rows.length > height && first < count - 1) first += 1;
  return { first, rows: rows.slice(-height) };
}

function rowsFrom(top: number, count: number, height: number, wrapped: (at: number) => Row[]): Row[] {
  const rows: Row[] = [];
  for (let at = top; at < count && rows.length < height; at++) rows.push(...wrapped(at));
  return rows.slice(0, height);
}
