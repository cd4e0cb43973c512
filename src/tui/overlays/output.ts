import { cutBottom, inset } from "../canvas/area.ts";
import { clean, wrap } from "../canvas/text.ts";
import { nameOf } from "../keys/match.ts";
import { NOTHING } from "../views/view.ts";
import type { OverlayRoom } from "./overlay.ts";

const STEPS: Record<string, number> = { j: 1, down: 1, k: -1, up: -1, pagedown: 15, pageup: -15, g: -1e6, home: -1e6 };

/** What a command of the palette writes. Ctrl-c ends the command, escape leaves it running and closes the pane. */
export const output: OverlayRoom<"output"> = {
  draw(canvas, area, _state, own) {
    const frame = inset(area, 2, 1);
    const inside = inset(canvas.box(frame, `hype ${own.title}`, { ink: "accent", paper: "panel" }), 1, 0);
    const [body, foot] = cutBottom(inside, 1);
    const all = own.lines.all();
    const rows: string[] = [];
    if (own.follow)
      for (let at = all.length - 1; at >= 0 && rows.length < body.height; at--)
        rows.unshift(...wrap(clean(all[at]!), body.width));
    else
      for (let at = Math.min(own.top, all.length - 1); at >= 0 && at < all.length && rows.length < body.height; at++)
        rows.push(...wrap(clean(all[at]!), body.width));
    const shown = own.follow ? rows.slice(-body.height) : rows.slice(0, body.height);
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
    const step = STEPS[name];
    if (step === undefined) return;
    const count = own.lines.all().length;
    const from = own.follow ? Math.max(0, count - 15) : own.top;
    const top = Math.min(Math.max(0, from + step), Math.max(0, count - 1));
    store.update((state) => void (state.overlay = { ...own, top, follow: false }));
  },
};
