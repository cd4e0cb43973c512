import { clean, graphemes, widthOf } from "./text.ts";

/** A pasted novel does not belong into one line, characters. */
const MOST_CHARACTERS = 8_192;

/** One line of text being edited. `cursor` counts what a person sees as characters. Never changed, always replaced. */
export type Line = { readonly text: string; readonly cursor: number };

export const EMPTY: Line = { text: "", cursor: 0 };
export const lineOf = (text: string): Line => ({ text, cursor: graphemes(text).length });

let last: { text: string; characters: readonly string[] } = { text: "", characters: [] };
/** {@link graphemes}, remembered for the text that was asked for last: what is edited is drawn again and again. */
function graphemesOf(text: string): readonly string[] {
  if (last.text !== text) last = { text, characters: graphemes(text) };
  return last.characters;
}

/** Puts text in at the cursor; a paste of several lines becomes one. */
export function insert(line: Line, text: string): Line {
  const added = clean(text.slice(0, MOST_CHARACTERS));
  const characters = graphemesOf(line.text);
  const before = characters.slice(0, line.cursor).join("");
  const after = characters.slice(line.cursor).join("");
  const whole = (before + added + after).slice(0, MOST_CHARACTERS);
  return { text: whole, cursor: Math.min(graphemes(before + added).length, graphemes(whole).length) };
}

export function erase(line: Line, what: "before" | "after" | "word" | "to-start" | "to-end"): Line {
  const characters = graphemesOf(line.text);
  const from = what === "word" ? wordStart(characters, line.cursor) : what === "before" ? line.cursor - 1 : line.cursor;
  if (what === "to-end") return { text: characters.slice(0, line.cursor).join(""), cursor: line.cursor };
  if (what === "to-start") return { text: characters.slice(line.cursor).join(""), cursor: 0 };
  if (from < 0) return line;
  const until = what === "after" ? line.cursor + 1 : line.cursor;
  return { text: [...characters.slice(0, from), ...characters.slice(until)].join(""), cursor: from };
}

export function move(line: Line, where: "left" | "right" | "start" | "end" | "word-left" | "word-right"): Line {
  const characters = graphemesOf(line.text);
  const targets = {
    left: line.cursor - 1,
    right: line.cursor + 1,
    start: 0,
    end: characters.length,
    "word-left": wordStart(characters, line.cursor),
    "word-right": wordEnd(characters, line.cursor),
  };
  return { text: line.text, cursor: Math.min(Math.max(0, targets[where]), characters.length) };
}

/** The part that fits into so many cells with the cursor in it, and where in it the cursor stands. */
export function visible(line: Line, width: number): { text: string; cursorX: number } {
  const characters = graphemesOf(line.text);
  let first = line.cursor;
  let cursorX = 0;
  while (first > 0) {
    const cells = widthOf(characters[first - 1] ?? "");
    if (cursorX + cells > width - 1) break;
    cursorX += cells;
    first -= 1;
  }
  // No character that takes cells takes less than one; those that take none are few.
  return { text: characters.slice(first, first + 2 * width + 2).join(""), cursorX };
}

function wordStart(characters: readonly string[], from: number): number {
  let at = from;
  while (at > 0 && characters[at - 1] === " ") at -= 1;
  while (at > 0 && characters[at - 1] !== " ") at -= 1;
  return at;
}

function wordEnd(characters: readonly string[], from: number): number {
  let at = from;
  while (at < characters.length && characters[at] === " ") at += 1;
  while (at < characters.length && characters[at] !== " ") at += 1;
  return at;
}
