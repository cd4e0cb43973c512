import { cutBottom, inset } from "../canvas/area.ts";
import { clean, wrap } from "../canvas/text.ts";
import { nameOf } from "../keys/match.ts";
import type { OutputOverlay, RowPlace } from "../state/overlays.ts";
import { NOTHING } from "../views/view.ts";
import type { OverlayRoom } from "./overlay.ts";

const STEPS: Record<string, number> = { j: 1, down: 1, k: -1, up: -1 };
const PAGES: Record<string, number> = { pagedown: 1, pageup: -1 };
const START: RowPlace = { line: 0, row: 0 };

/** What a command of the palette writes. Ctrl-c ends the command, escape leaves it running and closes the pane. */
export const output: OverlayRoom<"output"> = {
  draw(canvas, area, _state, own) {
    const frame = inset(area, 2, 1);
    const inside = inset(canvas.box(frame, `hype ${own.title}`, { ink: "accent", paper: "panel" }), 1, 0);
    const [body, foot] = cutBottom(inside, 1);
    own.seen = { width: body.width, height: body.height };
    const shown = rowsFrom(own, own.follow ? lastPage(own) : own.top);
    for (const [at, row] of shown.entries())
      canvas.text({ ...body, y: body.y + at, height: 1 }, row, { paper: "panel" });
    canvas.spot(frame, NOTHING, { up: { kind: "key", key: "up" }, down: { kind: "key", key: "down" } });
    const end =
      own.code === null
        ? "runs; ctrl-c ends it"
        : own.code === 0
          ? "done; enter closes"
          : `exit code ${own.code}; enter closes`;
    canvas.text(foot, end, { ink: own.code === null ? "info" : own.code === 0 ? "good" : "bad", paper: "panel" });
  },
  key(own, key, { store }) {
    const name = nameOf(key);
    if (name === "ctrl+c") return own.stop.abort();
    if (name === "return" || name === "q") return store.update((state) => void (state.overlay = null));
    if (name === "G" || name === "end") return store.update((state) => void (state.overlay = { ...own, follow: true }));
    const goTo = (top: RowPlace) => store.update((state) => void (state.overlay = { ...own, top, follow: false }));
    if (name === "g" || name === "home") return goTo(START);
    const step = STEPS[name] ?? (PAGES[name] ?? 0) * own.seen.height;
    if (step !== 0) goTo(moved(own, step));
  },
};

const wrapped = (text: string, { seen }: OutputOverlay): string[] => wrap(clean(text), seen.width);

function rowsFrom(own: OutputOverlay, { line, row }: RowPlace): string[] {
  const all = own.lines.all();
  const rows: string[] = [];
  for (let at = line; at < all.length && rows.length < own.seen.height + row; at++)
    rows.push(...wrapped(all[at]!, own));
  return rows.slice(row, row + own.seen.height);
}

/** From where everything to the end just fits. */
function lastPage(own: OutputOverlay): RowPlace {
  const all = own.lines.all();
  let line = all.length;
  let missing = own.seen.height;
  while (line > 0 && missing > 0) missing -= wrapped(all[--line]!, own).length;
  return { line, row: Math.max(0, -missing) };
}

/** So many rows further down or up, and never beyond the ends. */
function moved(own: OutputOverlay, by: number): RowPlace {
  const all = own.lines.all();
  const last = lastPage(own);
  const isBeyond = (place: RowPlace) => place.line > last.line || (place.line === last.line && place.row > last.row);
  let { line, row } = own.follow || isBeyond(own.top) ? last : own.top;
  row += by;
  while (row < 0 && line > 0) row += wrapped(all[--line]!, own).length;
  while (row > 0 && line < last.line) {
    const rows = wrapped(all[line]!, own).length;
    if (row < rows) break;
    row -= rows;
    line += 1;
  }
  const place = { line, row: Math.max(0, row) };
  return isBeyond(place) ? last : place;
}
