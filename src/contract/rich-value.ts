/** Values beyond JSON, as `encoding: "rich"` of evaluate writes them: the notation stands in docs/browser.md. */
export type RichValue =
  | string
  | number
  | boolean
  | null
  | { v: "undefined" | "null" | "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { bi: string }
  | { ref: number }
  | ({ id?: number } & (
      | { d: string | null }
      | { u: string }
      | { r: { p: string; f: string } }
      | { e: { n: string; m: string; s: string } }
      | { ab: { b: string } }
      | { ta: { b: string; k: string } }
      | { a: RichValue[] }
      | { map: [RichValue, RichValue][] }
      | { set: RichValue[] }
      | { o: { k: string; v: RichValue }[] }
    ))
  | { x: string };

const MAX_DEPTH = 1_000;
const WORDS = ["undefined", "null", "NaN", "Infinity", "-Infinity", "-0"];
const KINDS = ["i8", "ui8", "ui8c", "i16", "ui16", "i32", "ui32", "f32", "f64", "bi64", "bui64", "dv"];
/** Bytes an item of a typed array takes. */
const WIDTHS: Record<string, number> = { i16: 2, ui16: 2, i32: 4, ui32: 4, f32: 4, f64: 8, bi64: 8, bui64: 8 };
type Fields = Record<string, unknown>;
/** Whether what stands under a form's letter is of the form; `inner` looks at the values in it. */
type Form = (given: unknown, inner: (value: unknown) => void) => boolean;

const FORMS: Record<string, Form> = {
  v: (given) => WORDS.includes(given as string),
  bi: (given) => typeof given === "string" && /^-?\d+$/.test(given),
  ref: (given) => Number.isInteger(given),
  d: (given) => given === null || (typeof given === "string" && !Number.isNaN(Date.parse(given))),
  u: (given) => typeof given === "string" && URL.canParse(given),
  r: (given) => {
    const { p, f } = fields(given);
    return typeof p === "string" && typeof f === "string";
  },
  e: (given) => Object.values({ n: 0, m: 0, s: 0, ...fields(given) }).every((part) => typeof part === "string"),
  ab: (given) => bytesOf(fields(given)["b"]) !== null,
  ta: (given) => {
    const { b, k } = fields(given);
    const bytes = bytesOf(b);
    return bytes !== null && KINDS.includes(k as string) && bytes % (WIDTHS[k as string] ?? 1) === 0;
  },
  a: (given, inner) => all(given, inner),
  set: (given, inner) => all(given, inner),
  map: (given, inner) =>
    all(given, (pair) => (all(pair, inner) && (pair as unknown[]).length === 2 ? undefined : no())),
  o: (given, inner) =>
    all(given, (item) => {
      const { k, v } = fields(item);
      if (typeof k !== "string" || v === undefined) no();
      inner(v);
    }),
};

/** @returns what is wrong with it, or null */
export function richFault(value: unknown): string | null {
  const known = new Set<unknown>();
  const look = (one: unknown, depth: number): void => {
    if (one === null || typeof one === "string" || typeof one === "boolean" || typeof one === "number") return;
    if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH}`);
    const given = fields(one);
    const form = Object.keys(given).find((key) => key !== "id");
    const isWhole = form !== undefined && Object.keys(given).every((key) => key === form || key === "id");
    if (!isWhole || !Object.hasOwn(FORMS, form)) throw new RangeError(`${shown(one)} is no rich value`);
    if (form === "ref" && !known.has(given["ref"])) throw new RangeError(`${shown(one)} names no value before it`);
    if (given["id"] !== undefined) known.add(given["id"]);
    if (!FORMS[form]!(given[form], (inner) => look(inner, depth + 1)))
      throw new RangeError(`${shown(one)} is no rich value`);
  };
  try {
    look(value, 0);
    return null;
  } catch (thrown) {
    return thrown instanceof RangeError ? thrown.message : `${shown(value)} is no rich value`;
  }
}

const shown = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 120);
const no = (): never => {
  throw new TypeError();
};

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : no();
}

function all(value: unknown, look: (item: unknown) => void): boolean {
  if (!Array.isArray(value)) return false;
  for (const item of value) look(item);
  return true;
}

/** Bytes that base64 text stands for; null where it is none. */
function bytesOf(text: unknown): number | null {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
}
