import { type Area, cutLeft } from "../canvas/area.ts";
import type { Canvas } from "../canvas/canvas.ts";
import { erase, insert, type Line, move } from "../canvas/line-editor.ts";
import { type Key, nameOf, printable } from "../keys/match.ts";
import { act, type Click, NOTHING } from "../views/view.ts";

const KEEP = "⏎ keep  ";
const CLEAR = "esc clear ";

/** A field in the footer's place, and beside it what ends the typing. */
export function drawTyped(canvas: Canvas<Click>, area: Area, line: Line, placeholder: string): void {
  canvas.spot(area, NOTHING);
  const [field, ends] = cutLeft(area, area.width - KEEP.length - CLEAR.length - 1);
  canvas.field(field, line, { focused: true, placeholder });
  const bar = { ink: "muted", paper: "bar" } as const;
  canvas.pieces(ends, [[" ", bar], [KEEP, bar], [CLEAR, bar]]); // prettier-ignore
  canvas.spot({ ...ends, x: ends.x + 1, width: KEEP.length }, { kind: "key", key: "return" });
  canvas.spot({ ...ends, x: ends.x + 1 + KEEP.length, width: CLEAR.length }, act("close"));
}

/** What a key makes of a line of text, as readline does it; null when it is not for the line. */
export function edited(line: Line, key: Key): Line | null {
  switch (nameOf(key)) {
    case "left":
    case "ctrl+b":
      return move(line, "left");
    case "right":
    case "ctrl+f":
      return move(line, "right");
    case "home":
    case "ctrl+a":
      return move(line, "start");
    case "end":
    case "ctrl+e":
      return move(line, "end");
    case "alt+b":
    case "ctrl+left":
      return move(line, "word-left");
    case "alt+f":
    case "ctrl+right":
      return move(line, "word-right");
    case "backspace":
    case "ctrl+h":
      return erase(line, "before");
    case "delete":
    case "ctrl+d":
      return erase(line, "after");
    case "ctrl+w":
    case "alt+backspace":
      return erase(line, "word");
    case "ctrl+u":
      return erase(line, "to-start");
    case "ctrl+k":
      return erase(line, "to-end");
  }
  const typed = printable(key);
  return typed === null ? null : insert(line, typed);
}
