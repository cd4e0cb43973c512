import { centred, inset } from "../canvas/area.ts";
import { insert } from "../canvas/line-editor.ts";
import { nameOf } from "../keys/match.ts";
import { edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

/** Asks for one line. */
export const prompt: OverlayRoom<"prompt"> = {
  draw(canvas, area, _state, own) {
    const box = canvas.box(centred(area, 72, 5), own.title, { ink: "accent", paper: "panel" });
    const inside = inset(box, 1, 1);
    canvas.field({ ...inside, height: 1 }, own.line, { focused: true, placeholder: own.hint, hidden: own.hidden });
  },
  key(own, key, { store }) {
    if (nameOf(key) === "return") {
      const text = own.line.text.trim();
      if (text === "") return;
      store.update((state) => void (state.overlay = null));
      return own.submit(text);
    }
    const line = edited(own.line, key);
    if (line) store.update((state) => void (state.overlay = { ...own, line }));
  },
  paste: (own, text, { store }) =>
    store.update((state) => void (state.overlay = { ...own, line: insert(own.line, text.trim()) })),
};
