import { cutBottom, cutLeft } from "../canvas/area.ts";
import { insert, type Line } from "../canvas/line-editor.ts";
import { nameOf } from "../keys/match.ts";
import { fleetRows, moveCursor } from "../state/fleet.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { drawTyped, edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

/** Filters the fleet, or the events, while it is typed. Enter keeps the filter, escape takes it away. */
export const filter: OverlayRoom<"filter"> = {
  draw(canvas, area, _state, own) {
    const [, line] = cutBottom(area, 1);
    canvas.line(line, " filter ", { ink: "accent", paper: "bar", bold: true });
    drawTyped(canvas, cutLeft(line, 8)[1], own.line, "words of what is shown, or label=value");
  },
  key(own, key, { store }) {
    if (nameOf(key) === "return") return store.update((state) => void (state.overlay = null));
    const line = edited(own.line, key);
    if (line) use(store, line);
  },
  paste: (own, text, { store }) => use(store, insert(own.line, text)),
};

/** The filter of the screen that is shown: the fleet's, or the events'. */
export function setFilter(state: State, text: string): void {
  if (state.screen.name === "events") {
    state.journal = { seq: null, top: 0, filter: text };
    return;
  }
  state.fleet.filter = text;
  const rows = fleetRows(state);
  if (rows.some((row) => row.kind === "vm" && row.vm.id === state.fleet.cursor)) return;
  state.fleet.cursor = null;
  moveCursor(state, rows, 0);
}

function use(store: Store, line: Line): void {
  store.update((state) => {
    state.overlay = { kind: "filter", line };
    setFilter(state, line.text);
  });
}
