import { centred } from "../canvas/area.ts";
import { insert } from "../canvas/line-editor.ts";
import { wrap } from "../canvas/text.ts";
import { nameOf } from "../keys/match.ts";
import { edited } from "./edit.ts";
import type { OverlayRoom } from "./overlay.ts";

/** A question before something that cannot be taken back. Where more than one VM is meant, a word must be typed. */
export const confirm: OverlayRoom<"confirm"> = {
  draw(canvas, area, _state, own) {
    const width = Math.min(60, area.width - 4);
    const lines = wrap(own.text, width - 4).slice(0, 8);
    const inside = canvas.box(centred(area, width, lines.length + (own.typed ? 6 : 5)), own.title, {
      ink: "bad",
      titleInk: "bad",
      paper: "panel",
    });
    const row = (at: number) => ({ ...inside, x: inside.x + 1, y: inside.y + at, width: inside.width - 2, height: 1 });
    for (const [at, line] of lines.entries()) canvas.text(row(at), line, { paper: "panel" });
    if (own.typed) {
      canvas.text(row(lines.length + 1), `Type ${own.typed.expected} and press enter`, {
        ink: "warning",
        paper: "panel",
      });
      canvas.field(row(lines.length + 2), own.typed.line, { focused: true });
      return;
    }
    const answers = row(lines.length + 1);
    canvas.pieces(answers, [
      ["y", { ink: "bad", paper: "panel", bold: true }],
      [" yes    ", { paper: "panel" }],
      ["n", { ink: "accent", paper: "panel", bold: true }],
      [" no", { paper: "panel" }],
    ]);
    canvas.spot({ ...answers, width: 5 }, { kind: "key", key: "y" });
    canvas.spot({ ...answers, x: answers.x + 9, width: 4 }, { kind: "key", key: "n" });
  },
  key(own, key, { store }) {
    const name = nameOf(key);
    const { typed } = own;
    const isMeant = typed ? name === "return" && typed.line.text === typed.expected : name === "y" || name === "Y";
    const isRefused = !typed && (name === "n" || name === "N" || name === "return");
    if (isMeant || isRefused) {
      store.update((state) => void (state.overlay = null));
      if (isMeant) own.proceed();
      return;
    }
    const line = typed && edited(typed.line, key);
    if (line) store.update((state) => void (state.overlay = { ...own, typed: { ...typed, line } }));
  },
  paste(own, text, { store }) {
    const { typed } = own;
    if (typed)
      store.update((state) => void (state.overlay = { ...own, typed: { ...typed, line: insert(typed.line, text) } }));
  },
};
