import { cutBottom, inset } from "../../canvas/area.ts";
import { clean, wrap } from "../../canvas/text.ts";
import type { Scroll } from "../../state/detail.ts";
import type { PaneView } from "./vm.ts";

/** A log: at its end while it is followed, else where it was scrolled to. */
export const lines: PaneView = ({ canvas, area, state, detail }) => {
  const { scroll, problem } = detail;
  const all = detail.lines?.all() ?? [];
  const [body, foot] = cutBottom(inset(area, 1, 0), 1);
  const shown = windowOf(all, scroll, body.width, body.height);
  const wanted = scroll.search.toLowerCase();
  for (const [at, line] of shown.entries()) {
    const isFound = wanted !== "" && line.toLowerCase().includes(wanted);
    canvas.text({ ...body, y: body.y + at, height: 1 }, line, isFound ? { ink: "warning", bold: true } : {});
  }
  const isLog = state.screen.name === "vm" && state.screen.pane === "logs";
  const whose = isLog ? `${detail.logSource}'s log (o: the other), ` : "";
  const where = scroll.follow ? "at the end" : `line ${Math.min(scroll.top + 1, all.length)}`;
  const found =
    wanted === "" ? "" : `   /${scroll.search}: ${all.filter((line) => line.toLowerCase().includes(wanted)).length}`;
  canvas.line(foot, whose + (problem ?? `${where} of ${all.length}${scroll.wrap ? ", wrapped" : ""}${found}`), {
    ink: problem ? "bad" : "muted",
  });
};

/** The lines that are seen. Wrapped ones are counted from the end, so that the newest is always whole. */
function windowOf(
  all: readonly string[],
  { follow, top, wrap: isWrapped }: Scroll,
  width: number,
  height: number,
): string[] {
  const from = follow ? Math.max(0, all.length - height) : Math.min(top, Math.max(0, all.length - 1));
  const slice = all.slice(from, from + height);
  if (!isWrapped) return slice;
  const wrapped = slice.flatMap((line) => wrap(clean(line), width));
  return follow ? wrapped.slice(-height) : wrapped.slice(0, height);
}
