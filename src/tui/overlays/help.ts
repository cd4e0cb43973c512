import { centred, cutTop, inset } from "../canvas/area.ts";
import { insert } from "../canvas/line-editor.ts";
import type { Where } from "../keys/bindings.ts";
import { nameOf, bindingsFor, keyLabel } from "../keys/match.ts";
import type { Overlay } from "../state/overlays.ts";
import type { State } from "../state/state.ts";
import { NOTHING } from "../views/view.ts";
import { edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

const PLACES: Partial<Record<Where, string>> = {
  fleet: "all VMs",
  vm: "this VM",
  events: "events",
  offline: "no server",
};

/** All keys that work where it was asked for, searchable. */
export const help: OverlayRoom<"help"> = {
  draw(canvas, area, state, own) {
    const found = matching(state, own);
    const box = centred(area, 78, Math.min(found.length + 4, area.height - 2));
    const inside = canvas.box(box, `Keys: ${PLACES[own.of] ?? own.of}`, { ink: "accent", paper: "panel" });
    const [field, list] = cutTop(inset(inside, 1, 0), 1);
    canvas.field(field, own.line, { focused: true, placeholder: "type to search" });
    const height = list.height - 1;
    own.rows = height;
    const top = Math.min(own.top, Math.max(0, found.length - height));
    canvas.spot(box, NOTHING, { up: { kind: "key", key: "up" }, down: { kind: "key", key: "down" } });
    for (const [at, { keys, help: text }] of found.slice(top, top + height).entries())
      canvas.pieces({ ...list, y: list.y + 1 + at, height: 1 }, [
        [keys.map(keyLabel).join(" ").padEnd(16), { ink: "accent", paper: "panel", bold: true }],
        [text, { paper: "panel" }],
      ]);
  },
  key(own, key, { store }) {
    const name = nameOf(key);
    const step = { down: 1, up: -1, pagedown: 10, pageup: -10 }[name];
    if (step !== undefined)
      return store.update((state) => {
        const most = Math.max(0, matching(state, own).length - own.rows);
        state.overlay = { ...own, top: Math.min(Math.max(0, own.top + step), most) };
      });
    if (name === "return") return store.update((state) => void (state.overlay = null));
    const line = edited(own.line, key);
    if (line) store.update((state) => void (state.overlay = { ...own, line, top: 0 }));
  },
  paste: (own, text, { store }) =>
    store.update((state) => void (state.overlay = { ...own, line: insert(own.line, text), top: 0 })),
};

const matching = (state: State, { of, line }: Extract<Overlay, { kind: "help" }>) =>
  bindingsFor(of, state).filter(({ keys, help: text }) =>
    `${keys.join(" ")} ${keys.map(keyLabel).join(" ")} ${text}`.toLowerCase().includes(line.text.toLowerCase()),
  );
