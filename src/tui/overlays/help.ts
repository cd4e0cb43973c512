import { centred, cutTop } from "../canvas/area.ts";
import { insert } from "../canvas/line-editor.ts";
import { nameOf, bindingsFor, keyLabel } from "../keys/match.ts";
import type { Overlay } from "../state/overlays.ts";
import type { State } from "../state/state.ts";
import { edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

/** All keys of the screen that lies under it, searchable. */
export const help: OverlayRoom<"help"> = {
  draw(canvas, area, state, own) {
    const found = matching(state, own);
    const box = centred(area, 64, Math.min(found.length + 4, area.height - 2));
    const inside = canvas.box(box, `Keys: ${state.screen.name}`, { ink: "accent", paper: "panel" });
    const [field, list] = cutTop(inside, 1);
    canvas.field(field, own.line, { focused: true, placeholder: "type to search" });
    const height = list.height - 1;
    const top = Math.min(own.top, Math.max(0, found.length - height));
    for (const [at, { keys, help: text }] of found.slice(top, top + height).entries())
      canvas.pieces({ ...list, x: list.x + 1, y: list.y + 1 + at, width: list.width - 2, height: 1 }, [
        [keys.map(keyLabel).join(" ").padEnd(16), { ink: "accent", paper: "panel", bold: true }],
        [text, { paper: "panel" }],
      ]);
  },
  key(own, key, { store }) {
    const name = nameOf(key);
    const step = { down: 1, up: -1, pagedown: 10, pageup: -10 }[name];
    if (step !== undefined)
      return store.update((state) => {
        const most = Math.max(0, matching(state, own).length - 1);
        state.overlay = { ...own, top: Math.min(Math.max(0, own.top + step), most) };
      });
    if (name === "return") return store.update((state) => void (state.overlay = null));
    const line = edited(own.line, key);
    if (line) store.update((state) => void (state.overlay = { ...own, line, top: 0 }));
  },
  paste: (own, text, { store }) =>
    store.update((state) => void (state.overlay = { ...own, line: insert(own.line, text), top: 0 })),
};

const matching = (state: State, { line }: Extract<Overlay, { kind: "help" }>) =>
  bindingsFor(state.screen.name).filter(({ keys, help: text }) =>
    `${keys.join(" ")} ${text}`.toLowerCase().includes(line.text.toLowerCase()),
  );
