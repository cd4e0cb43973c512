import * as v from "valibot";
import {
  checkCookies,
  type ClearState,
  type ExportState,
  type ImportState,
  IndexedDb,
  type OriginState,
  STATE_PARTS,
  type StateCleared,
  type StateExported,
  type StateImported,
} from "../../src/contract/index.ts";
import type { Context } from "./context.ts";
import { getCookies, removeCookies, setCookies } from "./cookies.ts";
import type { OwnTargets } from "./own-targets.ts";
import { READ_DATABASES, READ_STORAGE, WRITE_DATABASES, WRITE_STORAGE } from "./page-scripts.ts";
import type { KnownOrigins } from "./origins.ts";
import { atOrigins, HiddenTab, inTab } from "./workbench.ts";
import { namesOf, openTabs, throwLost, withinTab } from "./storage.ts";

const Entries = v.array(v.object({ name: v.string(), value: v.string() }));
const Databases = v.object({ databases: v.array(IndexedDb), failed: v.array(v.string()) });

/**
 * Everything a login lives in, in Playwright's form. Records that no JSON can carry (blobs, keys of WebCrypto) are named in
 * `omitted`.
 * @throws HypeError `state_incomplete` naming the origins that could not be read
 */
export async function exportState(
  context: Context,
  own: OwnTargets,
  { all, withDatabases }: KnownOrigins,
  { indexeddb }: Pick<ExportState, "indexeddb">,
): Promise<StateExported> {
  const { items: cookies } = await getCookies(context, {});
  const states: OriginState[] = [];
  const lost: string[] = [];
  const omitted: string[] = [];
  await atOrigins(
    context,
    own,
    all,
    async (origin, bench) => {
      const localStorage = v.parse(Entries, JSON.parse(await bench.evaluate(READ_STORAGE("local"))));
      const read =
        indexeddb && (withDatabases?.has(origin) ?? true)
          ? v.parse(Databases, JSON.parse(await bench.call(READ_DATABASES)))
          : { databases: [], failed: [] };
      omitted.push(...read.failed.map((line) => `${origin}: ${line}`));
      if (localStorage.length + read.databases.length > 0)
        states.push({ origin, localStorage, ...(read.databases.length > 0 && { indexedDB: read.databases }) });
    },
    (origin, error) => lost.push(`${origin}: ${error.message}`),
  );
  throwLost(context, lost, "could not be read");
  return { cookies, origins: states, ...(omitted.length > 0 && { omitted }) };
}

/**
 * Bad cookies are found before anything is changed; what the browser then does not take is named, and the rest is there.
 * @throws HypeError `state_invalid` | `state_incomplete`
 */
export async function importState(
  context: Context,
  own: OwnTargets,
  origins: KnownOrigins,
  { state, replace }: Pick<ImportState, "state" | "replace">,
): Promise<StateImported> {
  checkCookies(state.cookies);
  if (replace) await clearState(context, own, origins, { parts: ["cookies", "local_storage", "indexeddb"] });
  const lost: string[] = [];
  // Beside the origins: a browser that has just started takes its time to open where it keeps cookies.
  const cookies = setCookies(context, state.cookies).catch((error: Error) => {
    lost.push(error.message);
    return { set: 0, expired: 0 };
  });
  const byOrigin = new Map(state.origins.map((origin) => [origin.origin, origin]));
  await atOrigins(
    context,
    own,
    [...byOrigin].flatMap(([origin, kept]) => (isEmpty(kept) ? [] : origin)),
    async (origin, bench) => {
      const { localStorage, indexedDB = [] } = byOrigin.get(origin)!;
      const faults = await Promise.all([
        localStorage.length > 0 && bench.call(WRITE_STORAGE, ["local", JSON.stringify(localStorage), false]),
        indexedDB.length > 0 && bench.call(WRITE_DATABASES, [JSON.stringify(indexedDB)]),
      ]);
      for (const names of faults) if (names !== false) lost.push(...namesOf(names).map((line) => `${origin}: ${line}`));
    },
    (origin, error) => lost.push(`${origin}: ${error.message}`),
  );
  const counts = await cookies;
  throwLost(context, lost, "could not be stored");
  return { cookies: counts.set, expired: counts.expired, origins: byOrigin.size };
}

const isEmpty = ({ localStorage, indexedDB = [] }: OriginState) => localStorage.length + indexedDB.length === 0;

/** Names of Storage.StorageType. */
const TYPES: Partial<Record<(typeof STATE_PARTS)[number], string>> = {
  local_storage: "local_storage",
  indexeddb: "indexeddb",
  cache_storage: "cache_storage",
  service_workers: "service_workers",
};

/** Pages that are open see it at once. @throws HypeError `state_incomplete` naming what could not be cleared */
export async function clearState(
  context: Context,
  own: OwnTargets,
  known: KnownOrigins,
  { parts, origins }: Pick<ClearState, "parts" | "origins">,
): Promise<StateCleared> {
  const has = (part: (typeof STATE_PARTS)[number]) => parts.includes(part);
  const chosen = origins ?? known.all;
  const lost: string[] = [];
  if (has("cookies")) await clearCookiesOf(context, origins);
  const storageTypes = STATE_PARTS.filter(has)
    .flatMap((part) => TYPES[part] ?? [])
    .join(",");
  await using tab = new HiddenTab(context, own);
  if (storageTypes !== "")
    for (const origin of chosen)
      await tab
        .send("Storage.clearDataForOrigin", { origin, storageTypes })
        .catch((error: Error) => lost.push(`${origin}: ${error.message}`));
  if (has("http_cache") && !origins) await tab.send("Network.clearBrowserCache", undefined);
  if (has("session_storage"))
    for (const { targetId, origin } of await openTabs(context, own))
      if (!origins || origins.includes(origin))
        await inTab(context, targetId, withinTab(context), (bench) => bench.evaluate("sessionStorage.clear()")).catch(
          (error: Error) => lost.push(`session storage of ${origin} in tab ${targetId}: ${error.message}`),
        );
  throwLost(context, lost, "could not be cleared");
  return { origins: chosen };
}

async function clearCookiesOf(context: Context, origins: string[] | undefined): Promise<void> {
  const { items } = await getCookies(context, {});
  const hosts = origins?.map((origin) => new URL(origin).hostname);
  const isMeant = (domain: string) => {
    const host = domain.replace(/^\./, "");
    return hosts?.some((name) => name === host || (domain.startsWith(".") && name.endsWith(`.${host}`))) ?? true;
  };
  await removeCookies(
    context,
    items.filter(({ domain }) => isMeant(domain)),
    items.length,
  );
}
