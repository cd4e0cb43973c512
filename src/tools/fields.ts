import * as v from "valibot";

/** Fields that many tools share. Descriptions are paid for in tokens with every list: as short as they can be. */
export const vm = v.pipe(v.string(), v.minLength(1), v.maxLength(63), v.description("VM name"));
export const tab = v.optional(
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "is no tab id"), v.description("Tab id; default: yours")),
);
export const onPage = { vm, tab };

const text = (most: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(most));
export const target = v.pipe(text(8_192), v.description("ref from a snapshot, or a unique selector"));
export const optionalTarget = v.optional(target);
export const snapshot = v.optional(v.pipe(v.boolean(), v.description("Return a snapshot, too")));
export const confirm = v.optional(v.pipe(v.boolean(), v.description("true: the user agreed")));
export const words = (most = 8_192) => text(most);

/** What lists do not show, as it costs tokens, and is taken all the same: arguments a model knows from elsewhere. */
export const UNLISTED = "-";
export const unlisted = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.pipe(schema, v.description(UNLISTED)));

/** A wait of a browser operation, milliseconds. */
export const timeoutMs = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(300_000)));

/** `e7` and `f2e7` are refs of a snapshot; all else is a selector. */
export const elementOf = (wanted: string | undefined): { ref?: string; selector?: string } =>
  wanted === undefined ? {} : /^(?:f\d{1,9})?e\d{1,9}$/.test(wanted) ? { ref: wanted } : { selector: wanted };
