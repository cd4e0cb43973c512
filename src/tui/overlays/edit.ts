import { erase, insert, type Line, move } from "../canvas/line-editor.ts";
import { type Key, nameOf, printable } from "../keys/match.ts";

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
