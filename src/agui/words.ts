import { HypeError } from "../contract/index.ts";

const usage = (message: string): HypeError => new HypeError("usage", message);

/**
 * A line as a shell splits it: blanks part words, quotes hold them together, a backslash takes the next character as it is.
 * @throws HypeError usage, when a quote is not closed
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (quote !== null) {
      if (character === quote) quote = null;
      else if (character === "\\" && quote === '"' && /["\\]/.test(line[at + 1] ?? "")) word += line[++at] as string;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + (character === "\\" && at + 1 < line.length ? line[++at] : character);
  }
  if (quote !== null) throw usage(`the quote ${quote} is not closed`);
  if (word !== null) words.push(word);
  return words;
}

const UNITS: Record<string, Record<string, number>> = {
  mb: { "": 1, m: 1, mb: 1, g: 1024, gb: 1024 },
  seconds: { "": 1, s: 1, m: 60, h: 3600, d: 86_400 },
  ms: { "": 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
};

/**
 * A number as people type it. The field's name says its unit: `memory_mb` takes 2G, `ttl_seconds` 1h30m, `timeout_ms` 5s.
 * @throws HypeError usage
 */
export function quantity(field: string, text: string): number {
  const units = UNITS[field.slice(field.lastIndexOf("_") + 1)] ?? { "": 1 };
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const parts = [...text.toLowerCase().matchAll(/(\d+)([a-z]+)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text.toLowerCase();
  if (!isWhole || !parts.every(([, , unit]) => Object.hasOwn(units, unit as string)))
    throw usage(
      `${field} ${JSON.stringify(text)}: expected a number${units["g"] ? ", or 2G" : units["h"] ? ", or 90s" : ""}`,
    );
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number), 0);
}

/** Schemes that need no `//`. */
const OPAQUE = /^(about|blob|chrome|data|javascript|view-source):/i;
const LOCAL = /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\])([:/]|$)/i;

/** What a person types in an address bar: `example.com` is https, bare addresses and localhost are http, one bare word is a .com. */
export function pageUrl(text: string): string {
  if (text.includes("://") || OPAQUE.test(text)) return text;
  if (LOCAL.test(text)) return `http://${text}`;
  return `https://${/^[a-z0-9-]+$/i.test(text) ? `${text}.com` : text}`;
}
