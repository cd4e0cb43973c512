import * as v from "valibot";
import { contextOfTab, timeoutMs } from "./operation.ts";

/** Largest body of an import, bytes. */
export const MAX_STATE_BYTES = 96 * 1024 * 1024;

const seconds = v.pipe(v.number(), v.description("Unix time in seconds; -1 or absent: a session cookie"));

/** Playwright's own form, so that its files and ours are one; `sameSite` is absent where the site named none. */
export const Cookie = v.strictObject({
  name: v.string(),
  value: v.string(),
  domain: v.pipe(v.string(), v.minLength(1), v.description("A leading dot: sub-domains too")),
  path: v.optional(v.string(), "/"),
  expires: v.optional(seconds, -1),
  httpOnly: v.optional(v.boolean(), false),
  secure: v.optional(v.boolean(), false),
  sameSite: v.optional(v.picklist(["Strict", "Lax", "None"])),
  partitionKey: v.optional(v.pipe(v.string(), v.description("Top-level site of a partitioned (CHIPS) cookie"))),
  _crHasCrossSiteAncestor: v.optional(v.boolean()),
  priority: v.optional(v.picklist(["Low", "Medium", "High"])),
});
export type Cookie = v.InferOutput<typeof Cookie>;

/** Checked one by one by the agent, so that every bad one is named. */
const cookies = v.pipe(v.array(v.record(v.string(), v.unknown())), v.maxLength(50_000));

export const GetCookies = v.strictObject({
  urls: v.optional(v.pipe(v.array(v.pipe(v.string(), v.url())), v.maxLength(100), v.description("Only those sent to"))),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type GetCookies = v.InferOutput<typeof GetCookies>;
export const CookieList = v.object({ items: v.array(Cookie) });
export type CookieList = v.InferOutput<typeof CookieList>;

export const SetCookies = v.strictObject({ cookies, tab: contextOfTab, timeout_ms: timeoutMs });
export type SetCookies = v.InferOutput<typeof SetCookies>;
/** `expired`: cookies whose time was over; they are left out, as a browser does. */
export const CookiesSet = v.object({ set: v.number(), expired: v.number() });
export type CookiesSet = v.InferOutput<typeof CookiesSet>;

export const ClearCookies = v.strictObject({
  name: v.optional(v.string()),
  domain: v.optional(v.pipe(v.string(), v.description("As listed, or without its leading dot"))),
  path: v.optional(v.string()),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type ClearCookies = v.InferOutput<typeof ClearCookies>;
export const CookiesCleared = v.object({ cleared: v.number() });
export type CookiesCleared = v.InferOutput<typeof CookiesCleared>;

const NameValue = v.strictObject({ name: v.string(), value: v.string() });
const origin = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.check(
    (text) => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text),
    "not an http(s) origin",
  ),
);

export const GetStorage = v.strictObject({
  kind: v.picklist(["local", "session"]),
  origins: v.optional(v.array(origin)),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type GetStorage = v.InferOutput<typeof GetStorage>;
/** Session storage belongs to a tab: those of the documents that are open now. */
export const StorageList = v.object({
  items: v.array(v.object({ origin: v.string(), tab: v.nullable(v.string()), entries: v.array(NameValue) })),
});
export type StorageList = v.InferOutput<typeof StorageList>;

export const SetStorage = v.strictObject({
  kind: v.picklist(["local", "session"]),
  origin,
  entries: v.array(NameValue),
  replace: v.optional(v.pipe(v.boolean(), v.description("Remove the names not listed")), false),
  tab: v.optional(v.pipe(v.string(), v.description("session: the tab that shows the origin; local: whose context"))),
  timeout_ms: timeoutMs,
});
export type SetStorage = v.InferOutput<typeof SetStorage>;

const keyPath = { keyPath: v.optional(v.string()), keyPathArray: v.optional(v.array(v.string())) };
/** Playwright's form of a database. `…Encoded` holds what JSON has no word for, in Playwright's notation. */
export const IndexedDb = v.strictObject({
  name: v.string(),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  stores: v.array(
    v.strictObject({
      name: v.string(),
      ...keyPath,
      autoIncrement: v.boolean(),
      indexes: v.array(v.strictObject({ name: v.string(), ...keyPath, multiEntry: v.boolean(), unique: v.boolean() })),
      records: v.array(
        v.strictObject({
          key: v.optional(v.unknown()),
          keyEncoded: v.optional(v.unknown()),
          value: v.optional(v.unknown()),
          valueEncoded: v.optional(v.unknown()),
        }),
      ),
    }),
  ),
});
export type IndexedDb = v.InferOutput<typeof IndexedDb>;
const OriginState = v.strictObject({
  origin,
  localStorage: v.optional(v.array(NameValue), []),
  indexedDB: v.optional(v.array(IndexedDb)),
});
export type OriginState = v.InferOutput<typeof OriginState>;

/** Playwright's `storageState`: what `context.storageState({ indexedDB: true })` writes and `newContext({ storageState })` reads. */
export const StorageState = v.object({ cookies: v.array(Cookie), origins: v.array(OriginState) });
export type StorageState = v.InferOutput<typeof StorageState>;

/** `omitted` names what no JSON can carry (blobs, keys of WebCrypto); absent when nothing was left out. */
export const StateExported = v.object({ ...StorageState.entries, omitted: v.optional(v.array(v.string())) });
export type StateExported = v.InferOutput<typeof StateExported>;

export const ExportState = v.strictObject({
  indexeddb: v.optional(v.boolean(), true),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type ExportState = v.InferOutput<typeof ExportState>;

export const ImportState = v.strictObject({
  state: v.strictObject({ cookies: v.optional(cookies, []), origins: v.optional(v.array(OriginState), []) }),
  replace: v.optional(v.pipe(v.boolean(), v.description("Clear cookies and storage of the context first")), false),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type ImportState = v.InferOutput<typeof ImportState>;
export const StateImported = v.object({ cookies: v.number(), expired: v.number(), origins: v.number() });
export type StateImported = v.InferOutput<typeof StateImported>;

export const STATE_PARTS = [
  "cookies",
  "local_storage",
  "session_storage",
  "indexeddb",
  "cache_storage",
  "service_workers",
  "http_cache",
] as const;
export const ClearState = v.strictObject({
  parts: v.optional(v.array(v.picklist(STATE_PARTS)), [...STATE_PARTS]),
  origins: v.optional(v.pipe(v.array(origin), v.description("Default: all. Cookies: those of the origin's host"))),
  tab: contextOfTab,
  timeout_ms: timeoutMs,
});
export type ClearState = v.InferOutput<typeof ClearState>;
export const StateCleared = v.object({ origins: v.array(v.string()) });
export type StateCleared = v.InferOutput<typeof StateCleared>;
