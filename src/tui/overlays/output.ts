import { cutBottom, inset } from "../canvas/area.ts";
import { nameOf } from "../keys/match.ts";
import type { OutputOverlay } from "../state/overlays.ts";
import { FIRST_ROW, type RowPlace, Rows } from "../state/rows.ts";
import { NOTHING } from "../views/view.ts";
import type { OverlayRoom } from "./overlay.ts";

const STEPS: Record<string, number> = { j: 1, down: 1, k: -1, up: -1 };
const PAGES: Record<string, number> = { pagedown: 1, pageup: -1 };

/** What a command of the palette writes. Ctrl-c ends the command, escape leaves it running and closes the pane. */
export const output: OverlayRoom<"output"> = {
  draw(canvas, area, _state, own) {
    const frame = inset(area, 2, 1);
    const inside = inset(canvas.box(frame, `hype ${own.title}`, { ink: "accent", paper: "panel" }), 1, 0);
    const [body, foot] = cutBottom(inside, 1);
    own.seen = { width: body.width, height: body.height };
    const rows = rowsOf(own);
    for (const [at, { text }] of rows.from(own.follow ? rows.end : rows.within(own.top)).entries())
      canvas.text({ ...body, y: body.y + at, height: 1 }, text, { paper: "panel" });
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
    if (name === "g" || name === "home") return goTo(FIRST_ROW);
    const step = STEPS[name] ?? (PAGES[name] ?? 0) * own.seen.height;
    const rows = rowsOf(own);
    if (step !== 0) goTo(rows.moved(own.follow ? rows.end : own.top, step));
  },
};

const rowsOf = ({ lines, seen }: OutputOverlay): Rows => new Rows(lines.all(), seen, true);
