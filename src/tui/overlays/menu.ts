import { centred } from "../canvas/area.ts";
import { nameOf } from "../keys/match.ts";
import type { MenuItem } from "../state/overlays.ts";
import type { Store } from "../state/store.ts";
import type { OverlayRoom } from "./overlay.ts";

const WHEEL = { up: { kind: "key", key: "up" }, down: { kind: "key", key: "down" } } as const;

/** A few things to choose from, by their key or with the cursor. */
export const menu: OverlayRoom<"menu"> = {
  draw(canvas, area, _state, own) {
    const inside = canvas.box(centred(area, 56, own.items.length + 2), own.title, { ink: "accent", paper: "panel" });
    for (const [at, { key, label }] of own.items.entries()) {
      const row = { ...inside, y: inside.y + at, height: 1 };
      const paper = at === own.cursor ? ("selection" as const) : ("panel" as const);
      canvas.line(row, "", { paper });
      canvas.spot(row, { kind: "item", index: at }, WHEEL);
      canvas.pieces({ ...row, x: row.x + 1, width: row.width - 1 }, [
        [`${key}  `, { ink: "accent", paper, bold: true }],
        [label, { paper }],
      ]);
    }
  },
  key(own, key, { store }) {
    const name = nameOf(key);
    const step = { down: 1, j: 1, up: -1, k: -1 }[name];
    const direct = own.items.find((item) => item.key === name);
    const item = direct ?? (name === "return" ? own.items[own.cursor] : undefined);
    if (item) return choose(item, store);
    if (step === undefined) return;
    const cursor = (own.cursor + step + own.items.length) % own.items.length;
    store.update((state) => void (state.overlay = { ...own, cursor }));
  },
  click(own, index, { store }) {
    const item = own.items[index];
    if (item) choose(item, store);
  },
};

function choose(item: MenuItem, store: Store): void {
  const { overlay } = store.state;
  item.run(); // it may come with a menu of its own
  if (store.state.overlay === overlay) store.update((state) => void (state.overlay = null));
}
