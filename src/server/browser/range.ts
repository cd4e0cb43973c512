import { HypeError } from "../../contract/index.ts";

export type Range = { from: number; to: number };

/** What is known of a file: how large it will be, and how much of it is there. */
export type Extent = { total: number | null; there: number };

/**
 * A range of something that may still be arriving. Its announced size counts, so that the reader waits for the rest; where the site
 * announces none, only a range with both ends can be answered, as far as the bytes are there.
 * @throws HypeError range_not_satisfiable
 */
export function rangeOf(header: string | null, { total, there }: Extent): (Range & { size: string }) | null {
  if (total === null && !/^bytes=\d+-\d+$/.test(header ?? "")) return null;
  const range = parseRange(header, total ?? there);
  return range && { ...range, size: total === null ? "*" : String(total) };
}

/**
 * One range of a `Range` header (RFC 9110, section 14.1.2); null: the whole. Several ranges, other units and what cannot be read are
 * answered with the whole, as the RFC allows; so is any range of something whose size is not known yet.
 * @throws HypeError range_not_satisfiable
 */
export function parseRange(header: string | null, size: number | null): Range | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!match || size === null) return null;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return null;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < from) return null;
  if (from >= size) throw new HypeError("range_not_satisfiable", `the file has ${size} bytes`, { bytes: size });
  return { from, to };
}
