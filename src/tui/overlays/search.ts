import { cutBottom, cutLeft } from "../canvas/area.ts";
import { insert, type Line } from "../canvas/line-editor.ts";
import { nameOf } from "../keys/match.ts";
import { rowsOf, scrolledTo } from "../state/detail.ts";
import type { Store } from "../state/store.ts";
import { drawTyped, edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

/** Marks the lines of a log that hold what is typed, and goes to the newest of them. */
export const search: OverlayRoom<"search"> = {
  draw(canvas, area, _state, own) {
    const [, line] = cutBottom(area, 1);
    canvas.line(line, " search ", { ink: "accent", paper: "bar", bold: true });
    drawTyped(canvas, cutLeft(line, 8)[1], own.line, "text to look for");
  },
  key(own, key, { store }) {
    if (nameOf(key) === "return") return store.update((state) => void (state.overlay = null));
    const line = edited(own.line, key);
    if (line) use(store, line);
  },
  paste: (own, text, { store }) => use(store, insert(own.line, text)),
};

function use(store: Store, line: Line): void {
  store.update((state) => {
    state.overlay = { kind: "search", line };
    const { detail } = state;
    if (!detail?.lines) return;
    const at = detail.lines.holding(line.text).at(-1) ?? -1;
    const scroll = at < 0 ? detail.scroll : scrolledTo(detail, rowsOf(detail).around(at, line.text));
    detail.scroll = { ...scroll, search: line.text, at };
  });
}
