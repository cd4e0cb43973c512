import { HypeError } from "../../contract/errors.ts";

const wrong = (flag: string, text: string, expected: string): HypeError =>
  new HypeError("usage", `${flag} ${JSON.stringify(text)}: expected ${expected}`, { flag });

/** A whole number; its limits are the server's business. @throws HypeError usage */
export function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw wrong(flag, text, "a whole number");
  return Number(text);
}

/** `1024`, `1024M`, `2G` as MB (binary, as guests count memory). @throws HypeError usage */
export function memoryMb(flag: string, text: string): number {
  const match = /^(\d{1,7})(m|mb|g|gb)?$/i.exec(text);
  if (!match) throw wrong(flag, text, "megabytes such as 1024, or 2G");
  return Number(match[1]) * (/^g/i.test(match[2] ?? "") ? 1024 : 1);
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90`, `90s`, `10m`, `1h30m`, `2d` as seconds. @throws HypeError usage */
export function seconds(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^(\d{1,9}[smhd])+$/.test(text)) throw wrong(flag, text, "a duration such as 90s, 10m or 1h30m");
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g))
    total += Number(count) * SECONDS[unit as keyof typeof SECONDS];
  return total;
}

/** One of the words given. @throws HypeError usage */
export function oneOf<const Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw wrong(flag, text, `one of ${words.join(", ")}`);
  return found;
}

/** `key=value` pairs, one per flag; a later one wins. @throws HypeError usage */
export function labels(flag: string, texts: readonly string[]): Record<string, string> {
  const found: [string, string][] = texts.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw wrong(flag, text, "key=value");
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(found);
}
