/**
 * What runs in the page's isolated world, as text: it sees the origin's storage, but not what the site's scripts made of the
 * built-ins. Values JSON has no word for use Playwright's notation, so that its files and ours are one.
 */
const VALUES = `
const kinds = { i8: Int8Array, ui8: Uint8Array, ui8c: Uint8ClampedArray, i16: Int16Array, ui16: Uint16Array, i32: Int32Array,
  ui32: Uint32Array, f32: Float32Array, f64: Float64Array, bi64: BigInt64Array, bui64: BigUint64Array };
const toBase64 = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 32768));
  return btoa(text);
};
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const isPlain = (value, seen = new Set()) => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object" || seen.has(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return false;
    for (const item of value) if (!isPlain(item, seen)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || typeof value.toJSON === "function") return false;
  for (const key of Object.keys(value)) if (!isPlain(value[key], seen)) return false;
  return true;
};
const encode = (value, seen = new Map()) => {
  if (value === undefined) return { v: "undefined" };
  if (value === null) return { v: "null" };
  if (typeof value === "number") {
    if (Object.is(value, -0)) return { v: "-0" };
    return Number.isFinite(value) ? value : { v: String(value) };
  }
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return { bi: String(value) };
  if (seen.has(value)) return { ref: seen.get(value) };
  if (value instanceof Date) return { d: value.toJSON() };
  if (value instanceof RegExp) return { r: { p: value.source, f: value.flags } };
  if (value instanceof Error) return { e: { n: value.name, m: value.message, s: value.stack || "" } };
  for (const k in kinds)
    if (value instanceof kinds[k])
      return { ta: { b: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)), k } };
  if (value instanceof ArrayBuffer) return { ab: { b: toBase64(new Uint8Array(value)) } };
  const id = seen.size + 1;
  if (Array.isArray(value)) {
    seen.set(value, id);
    return { a: Array.from(value, (item) => encode(item, seen)), id };
  }
  if (Object.prototype.toString.call(value) !== "[object Object]")
    throw new Error("a " + Object.prototype.toString.call(value).slice(8, -1) + " cannot be written down");
  seen.set(value, id);
  return { o: Object.keys(value).map((k) => ({ k, v: encode(value[k], seen) })), id };
};
const decode = (value, known = new Map()) => {
  if (value === null || typeof value !== "object") return value;
  if ("ref" in value) return known.get(value.ref);
  if ("v" in value) return { undefined: undefined, null: null, NaN, Infinity, "-Infinity": -Infinity, "-0": -0 }[value.v];
  if ("d" in value) return new Date(value.d);
  if ("u" in value) return value.u;
  if ("bi" in value) return BigInt(value.bi);
  if ("r" in value) return new RegExp(value.r.p, value.r.f);
  if ("e" in value) { const error = new Error(value.e.m); error.name = value.e.n; error.stack = value.e.s; return error; }
  if ("ta" in value) return new kinds[value.ta.k](fromBase64(value.ta.b));
  if ("ab" in value) return fromBase64(value.ab.b);
  if ("a" in value) {
    const list = [];
    known.set(value.id, list);
    for (const item of value.a) list.push(decode(item, known));
    return list;
  }
  if ("o" in value) {
    const object = {};
    known.set(value.id, object);
    for (const { k, v } of value.o) Object.defineProperty(object, k, { value: decode(v, known), enumerable: true, configurable: true, writable: true });
    return object;
  }
  return value;
};
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
  request.onblocked = () => reject(new Error("an open page keeps the database: close its tab first"));
});
const finished = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
});
const pathOf = (path) => (path === null || path === undefined ? {} : Array.isArray(path) ? { keyPathArray: Array.from(path) } : { keyPath: path });
`;

/** Returns JSON: `[{ name, value }]`. */
export const READ_STORAGE = (kind: "local" | "session") =>
  `JSON.stringify(Object.keys(${kind}Storage).map((name) => ({ name, value: ${kind}Storage.getItem(name) })))`;

/** `this` is nothing; arguments: kind, JSON of entries, whether names not listed go. Returns JSON of the names that did not fit. */
export const WRITE_STORAGE = `function (kind, json, replace) {
  const storage = kind === "local" ? localStorage : sessionStorage;
  const entries = JSON.parse(json);
  if (replace) storage.clear();
  const failed = [];
  for (const { name, value } of entries)
    try { storage.setItem(name, value); } catch (error) { failed.push(JSON.stringify(name.slice(0, 80)) + " (" + value.length + " characters): " + error.name); }
  return JSON.stringify(failed);
}`;

/** Returns JSON of all databases of the origin; `failed` names the records that cannot be written down. */
export const READ_DATABASES = `async function () {
  ${VALUES}
  const failed = [];
  const databases = [];
  for (const { name, version } of await indexedDB.databases()) {
    if (!version) continue;
    const db = await done(indexedDB.open(name));
    const stores = [];
    const names = Array.from(db.objectStoreNames);
    const transaction = names.length > 0 ? db.transaction(names, "readonly") : null;
    for (const storeName of names) {
      const store = transaction.objectStore(storeName);
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      const records = [];
      keys.forEach((key, index) => {
        try {
          const record = {};
          if (store.keyPath === null) { if (isPlain(key)) record.key = key; else record.keyEncoded = encode(key); }
          if (isPlain(values[index])) record.value = values[index]; else record.valueEncoded = encode(values[index]);
          records.push(record);
        } catch (error) { failed.push(name + "/" + storeName + "/" + String(key).slice(0, 80) + ": " + error.message); }
      });
      stores.push({ name: storeName, records, ...pathOf(store.keyPath), autoIncrement: store.autoIncrement,
        indexes: Array.from(store.indexNames, (indexName) => {
          const index = store.index(indexName);
          return { name: index.name, ...pathOf(index.keyPath), multiEntry: index.multiEntry, unique: index.unique };
        }) });
    }
    db.close();
    databases.push({ name, version: db.version, stores });
  }
  return JSON.stringify({ databases, failed });
}`;

/** Argument: JSON of databases. Each replaces the one of its name. Returns JSON of what failed. */
export const WRITE_DATABASES = `async function (json) {
  ${VALUES}
  const failed = [];
  for (const { name, version, stores } of JSON.parse(json)) {
    let db;
    try {
      await done(indexedDB.deleteDatabase(name));
      const request = indexedDB.open(name, version);
      request.onupgradeneeded = () => {
        for (const store of stores) {
          const made = request.result.createObjectStore(store.name,
            { autoIncrement: store.autoIncrement, keyPath: store.keyPathArray ?? store.keyPath ?? null });
          for (const index of store.indexes)
            made.createIndex(index.name, index.keyPathArray ?? index.keyPath, { unique: index.unique, multiEntry: index.multiEntry });
        }
      };
      db = await done(request);
      for (const { name: storeName, records, keyPath, keyPathArray } of stores) {
        if (records.length === 0) continue;
        const transaction = db.transaction(storeName, "readwrite");
        const store = transaction.objectStore(storeName);
        const inline = (keyPathArray ?? keyPath ?? null) !== null;
        const end = finished(transaction);
        for (const record of records) {
          const value = "valueEncoded" in record ? decode(record.valueEncoded) : record.value;
          const key = "keyEncoded" in record ? decode(record.keyEncoded) : record.key;
          if (inline || key === undefined) store.put(value); else store.put(value, key);
        }
        await end;
      }
    } catch (error) {
      failed.push(JSON.stringify(name.slice(0, 80)) + ": " + (error?.message || error?.name || error));
    } finally { db?.close(); }
  }
  return JSON.stringify(failed);
}`;
