import { sanitizeLine } from "../../text/sanitize.ts";

const SEGMENTS = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Longest text looked at, characters: a page may choose a title of a megabyte. */
const MOST_CHARACTERS = 4_096;

/** What a person sees as single characters. */
export const graphemes = (text: string): string[] => Array.from(SEGMENTS.segment(text), ({ segment }) => segment);

/** Text of others as it may stand in one line of a terminal. */
export const clean = (text: string): string =>
  sanitizeLine(text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS) : text);

/** Cells a text takes. Ambiguous characters count one, as terminals do. */
export const widthOf = (text: string): number => Bun.stringWidth(text);

/** The text in at most so many cells, an ellipsis where something was cut off. */
export function clip(text: string, width: number): string {
  if (width <= 0) return "";
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of SEGMENTS.segment(text)) {
    const cells = widthOf(segment);
    if (used + cells > width - 1) break;
    kept += segment;
    used += cells;
  }
  return `${kept}…`;
}

/** The same from the end: of paths and URLs the end says more. */
export function clipStart(text: string, width: number): string {
  if (width <= 0) return "";
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const segment of graphemes(text).toReversed()) {
    const cells = widthOf(segment);
    if (used + cells > width - 1) break;
    kept = segment + kept;
    used += cells;
  }
  return `…${kept}`;
}

/** In exactly so many cells, cut or padded. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const cut = clip(text, width);
  const space = " ".repeat(Math.max(0, width - widthOf(cut)));
  return align === "left" ? cut + space : space + cut;
}

/** Lines of at most so many cells, broken at spaces where there are any. The spaces a line begins with are kept. */
export function wrap(text: string, width: number): string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of text.split(" ")) {
    const joined: string = line === null ? word : `${line} ${word}`;
    if (widthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line) lines.push(line);
    line = word;
    while (widthOf(line) > width) {
      const [head, rest] = splitAt(line, width);
      lines.push(head);
      line = rest;
    }
  }
  lines.push(line ?? "");
  return lines;
}

function splitAt(text: string, width: number): [string, string] {
  let head = "";
  let used = 0;
  for (const { segment } of SEGMENTS.segment(text)) {
    const cells = widthOf(segment);
    if (used + cells > width && head !== "") break;
    head += segment;
    used += cells;
  }
  return [head, text.slice(head.length)];
}
