/**
 * Text of functions that run in the page: values written down beyond JSON, and back. The notation is near Playwright's
 * (utilityScriptSerializers.ts) and stands in docs/browser.md.
 */
const KINDS = `const kinds = { i8: Int8Array, ui8: Uint8Array, ui8c: Uint8ClampedArray, i16: Int16Array, ui16: Uint16Array,
  i32: Int32Array, ui32: Uint32Array, f32: Float32Array, f64: Float64Array, bi64: BigInt64Array, bui64: BigUint64Array, dv: DataView };`;

/** `this` is an object; returns its notation as JSON, or the number of characters where that is above the limit. */
export const TO_RICH = `function (limit) {
  ${KINDS}
  const base64 = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 32768));
    return btoa(text);
  };
  const seen = new Map();
  const named = (value, tag) => ({ x: tag || typeof value });
  const write = (value) => {
    if (value === undefined) return { v: "undefined" };
    if (value === null) return { v: "null" };
    const type = typeof value;
    if (type === "number") return Object.is(value, -0) ? { v: "-0" } : Number.isFinite(value) ? value : { v: String(value) };
    if (type === "string" || type === "boolean") return value;
    if (type === "bigint") return { bi: String(value) };
    if (type !== "object") return named(value);
    if (seen.has(value)) return { ref: seen.get(value) };
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag === "Number" || tag === "String" || tag === "Boolean" || tag === "BigInt") return write(value.valueOf());
    const id = seen.size + 1;
    seen.set(value, id);
    if (tag === "Date") return { d: Number.isNaN(+value) ? null : value.toISOString(), id };
    if (tag === "RegExp") return { r: { p: value.source, f: value.flags }, id };
    if (tag === "URL") return { u: value.href, id };
    if (tag === "Error" || tag === "DOMException")
      return { e: { n: String(value.name), m: String(value.message), s: String(value.stack || "") }, id };
    if (tag === "ArrayBuffer") return { ab: { b: base64(new Uint8Array(value)) }, id };
    if (ArrayBuffer.isView(value))
      for (const k in kinds)
        if (value instanceof kinds[k] || tag === kinds[k].name)
          return { ta: { b: base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)), k }, id };
    if (Array.isArray(value)) return { a: Array.from(value, write), id };
    if (tag === "Map") return { map: Array.from(value, ([key, item]) => [write(key), write(item)]), id };
    if (tag === "Set") return { set: Array.from(value, write), id };
    if (tag !== "Object" && (value.nodeType || value === value.window || tag === "Promise" || tag.startsWith("Weak")))
      return named(value, tag);
    if (tag !== "Object" && typeof value.toJSON === "function") return write(value.toJSON());
    return { o: Object.keys(value).map((k) => ({ k, v: write(value[k]) })), id };
  };
  const text = JSON.stringify(write(this));
  return typeof text === "string" && text.length > limit ? text.length : text;
}`;

/** An expression: a function of the JSON of an array in this notation, which gives its items. */
export const FROM_RICH = `(text) => {
  ${KINDS}
  const buffer = (b) => Uint8Array.from(atob(b), (c) => c.charCodeAt(0)).buffer;
  const known = new Map();
  const read = (value) => {
    if (value === null || typeof value !== "object") return value;
    if ("ref" in value) return known.get(value.ref);
    const keep = (made) => (value.id !== undefined && known.set(value.id, made), made);
    if ("v" in value) return { undefined: undefined, null: null, NaN, Infinity, "-Infinity": -Infinity, "-0": -0 }[value.v];
    if ("bi" in value) return BigInt(value.bi);
    if ("d" in value) return keep(new Date(value.d === null ? NaN : value.d));
    if ("u" in value) return keep(new URL(value.u));
    if ("r" in value) return keep(new RegExp(value.r.p, value.r.f));
    if ("e" in value) {
      const error = new ({ TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }[value.e.n] || Error)(value.e.m);
      if (error.name !== value.e.n) error.name = value.e.n;
      if (value.e.s) error.stack = value.e.s;
      return keep(error);
    }
    if ("ab" in value) return keep(buffer(value.ab.b));
    if ("ta" in value) return keep(new kinds[value.ta.k](buffer(value.ta.b)));
    if ("a" in value) {
      const list = keep([]);
      for (const item of value.a) list.push(read(item));
      return list;
    }
    if ("map" in value) {
      const map = keep(new Map());
      for (const [key, item] of value.map) map.set(read(key), read(item));
      return map;
    }
    if ("set" in value) {
      const set = keep(new Set());
      for (const item of value.set) set.add(read(item));
      return set;
    }
    const object = keep({});
    for (const { k, v } of value.o)
      Object.defineProperty(object, k, { value: read(v), enumerable: true, configurable: true, writable: true });
    return object;
  };
  return JSON.parse(text).map(read);
}`;

/** The notation of what DevTools says in words. */
export function richPrimitive(remote: { type: string; value?: unknown; unserializableValue?: string }): unknown {
  if (remote.unserializableValue !== undefined)
    return remote.type === "bigint"
      ? { bi: remote.unserializableValue.replace(/n$/, "") }
      : { v: remote.unserializableValue };
  if (remote.type === "undefined") return { v: "undefined" };
  if (remote.type === "function" || remote.type === "symbol") return { x: remote.type };
  return remote.value ?? { v: "null" };
}
