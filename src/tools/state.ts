import * as v from "valibot";
import { ClearState, HypeError, ImportState, STATE_PARTS, StorageList } from "../contract/index.ts";
import { confirm, onPage, unlisted, words } from "./fields.ts";
import { fenced, line, listed } from "./markdown.ts";
import { onTab, type OnTab } from "./on-tab.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("state");
const TIMEOUT_MS = 60_000;
const SHOWN = 200;

const cookieFields = {
  name: words(4_096),
  value: v.pipe(v.string(), v.maxLength(4_096)),
  domain: v.optional(v.pipe(words(255), v.description("Default: the page's; a leading dot: sub-domains, too"))),
  path: v.optional(words(1_024), "/"),
  expires: v.optional(v.pipe(v.number(), v.description("Unix time, s; default: the session"))),
  httpOnly: v.optional(v.boolean()),
  secure: v.optional(v.boolean()),
  sameSite: v.optional(v.picklist(["Strict", "Lax", "None"])),
};

const storageKind = v.optional(v.picklist(["local", "session"]), "local");

/** @throws HypeError invalid_request where the page is of none */
async function originOf(on: OnTab): Promise<string> {
  const { items } = await on.guest.tabs(on.signal);
  const url = items.find(({ id }) => id === on.tab)?.url ?? "";
  const origin = URL.canParse(url) ? new URL(url).origin : "null";
  if (origin === "null")
    throw new HypeError("invalid_request", "the page is of no site: open one with browser_navigate");
  return origin;
}

const CookieShown = v.object({ name: v.string(), value: v.string(), domain: v.string(), path: v.string() });

export const stateTools = [
  tool({
    name: "browser_cookie_list",
    title: "Cookies",
    description:
      "Cookies of the browser; url: only those sent there. Values are secrets of the user: do not repeat them.",
    input: v.strictObject({
      ...onPage,
      url: v.optional(v.pipe(words(8_192), v.url())),
      name: unlisted(words(4_096)),
      domain: unlisted(words(255)),
      path: unlisted(words(1_024)),
    }),
    output: v.object({ cookies: v.array(CookieShown), total: v.number() }),
    effect: "read",
    handle: ({ vm, tab, url, ...wanted }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const { items: all } = await on.guest.state.getCookies(
          { ...(url !== undefined && { urls: [url] }), tab: on.tab, timeout_ms: TIMEOUT_MS },
          on.signal,
        );
        const items = all.filter(
          ({ name, domain, path }) =>
            (wanted.name === undefined || wanted.name === name) &&
            (wanted.domain === undefined || domain.replace(/^\./, "").endsWith(wanted.domain.replace(/^\./, ""))) &&
            (wanted.path === undefined || path.startsWith(wanted.path)),
        );
        const lines = items
          .slice(0, SHOWN)
          .map(
            ({ name, value, domain, path }) => `${line(name, 200)}=${line(value, 500)} (${line(domain)}${line(path)})`,
          );
        if (items.length > SHOWN) lines.push(`… ${items.length - SHOWN} more: ask by url`);
        const cookies = items.slice(0, SHOWN).map(({ name, value, domain, path }) => ({ name, value, domain, path }));
        return {
          text: items.length === 0 ? "There are no cookies." : listed(lines),
          structured: { cookies, total: items.length },
        };
      }),
  }),
  tool({
    name: "browser_cookie_set",
    title: "Set a cookie",
    description: "Sets a cookie.",
    input: v.strictObject({ ...onPage, ...cookieFields }),
    isIdempotent: true,
    handle: ({ vm, tab, ...cookie }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const set = Object.entries(cookie).filter(([, value]) => value !== undefined);
        const domain = cookie.domain ?? new URL(await originOf(on)).hostname;
        const given = { ...Object.fromEntries(set), domain };
        await on.guest.state.setCookies({ cookies: [given], tab: on.tab, timeout_ms: TIMEOUT_MS }, on.signal);
        return { text: `The cookie ${line(cookie.name)} is set.` };
      }),
  }),
  tool({
    name: "browser_cookie_delete",
    title: "Delete cookies",
    description: "Deletes cookies by name, domain or both; browser_clear_state deletes all.",
    input: v.strictObject({ ...onPage, name: v.optional(words(4_096)), domain: v.optional(words(255)) }),
    output: v.object({ cleared: v.number() }),
    isIdempotent: true,
    handle: ({ vm, tab, ...which }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        if (which.name === undefined && which.domain === undefined)
          throw new HypeError("invalid_request", "give name, domain or both; browser_clear_state deletes all cookies");
        const request = { ...which, tab: on.tab, timeout_ms: TIMEOUT_MS };
        const { cleared } = await on.guest.state.clearCookies(request, on.signal);
        return { text: `${cleared} cookies are deleted.`, structured: { cleared } };
      }),
  }),
  tool({
    name: "browser_storage_get",
    title: "Local and session storage",
    description: "Items of localStorage or sessionStorage, by origin.",
    input: v.strictObject({ ...onPage, kind: storageKind, name: unlisted(v.string()) }),
    output: v.object({ items: StorageList.entries.items }),
    effect: "read",
    handle: ({ kind, name: wanted, ...place }, context) =>
      onTab(context, place, async (on) => {
        const { items } = await on.guest.state.getStorage({ kind, tab: on.tab, timeout_ms: TIMEOUT_MS }, on.signal);
        const shown = items.map(({ entries, ...of }) => ({
          ...of,
          entries: entries.filter(({ name }) => wanted === undefined || name === wanted).slice(0, SHOWN),
        }));
        const lines = shown.flatMap(({ origin, entries }) =>
          entries.map(({ name, value }) => `${origin} ${line(name, 200)}=${line(value, 500)}`),
        );
        return { text: lines.length === 0 ? "Nothing is stored." : listed(lines), structured: { items: shown } };
      }),
  }),
  tool({
    name: "browser_storage_set",
    title: "Set items of a storage",
    description:
      "Sets an item of localStorage or sessionStorage of an origin (https://example.com); default: the page's.",
    input: v.strictObject({
      ...onPage,
      kind: storageKind,
      origin: v.optional(words(2_048)),
      name: v.string(),
      value: v.string(),
    }),
    isIdempotent: true,
    handle: ({ vm, tab, kind, origin: of, name, value }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const entries = [{ name, value }];
        const origin = of ?? (await originOf(on));
        await on.guest.state.setStorage(
          { kind, origin, entries, replace: false, tab: on.tab, timeout_ms: TIMEOUT_MS },
          on.signal,
        );
        return { text: `${line(name)} is set for ${line(origin)}.` };
      }),
  }),
  tool({
    name: "browser_storage_delete",
    title: "Delete items of a storage",
    description: "Deletes an item of the page's localStorage or sessionStorage, or all of them.",
    input: v.strictObject({ ...onPage, kind: storageKind, name: v.optional(v.string()) }),
    output: v.object({ deleted: v.number() }),
    isIdempotent: true,
    handle: ({ kind, name, ...place }, context) =>
      onTab(context, place, async (on) => {
        const origin = await originOf(on);
        const { items } = await on.guest.state.getStorage(
          { kind, origins: [origin], tab: on.tab, timeout_ms: TIMEOUT_MS },
          on.signal,
        );
        const there = items.flatMap((it) => (kind === "local" || it.tab === on.tab ? it.entries : []));
        const entries = name === undefined ? [] : there.filter((it) => it.name !== name);
        await on.guest.state.setStorage(
          { kind, origin, entries, replace: true, tab: on.tab, timeout_ms: TIMEOUT_MS },
          on.signal,
        );
        const deleted = there.length - entries.length;
        return { text: `${deleted} items of ${line(origin)} are deleted.`, structured: { deleted } };
      }),
  }),
  tool({
    name: "browser_storage_state",
    title: "Export the browser's state",
    description:
      "Cookies and storage in Playwright's storageState form. It holds logins: keep it out of sight. Profiles keep it on the host instead.",
    input: v.strictObject(onPage),
    effect: "read",
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const { omitted, ...state } = await on.guest.state.export(
          { indexeddb: false, tab: on.tab, timeout_ms: TIMEOUT_MS },
          on.signal,
        );
        const left = omitted && omitted.length > 0 ? `\nLeft out: ${omitted.length}` : "";
        return { text: `${fenced(JSON.stringify(state), "json")}${left}` };
      }),
  }),
  tool({
    name: "browser_set_storage_state",
    title: "Import a browser's state",
    description: "Takes over a storageState; replace: clears what there is first.",
    input: v.strictObject({
      ...onPage,
      state: v.record(v.string(), v.unknown()),
      replace: v.optional(v.boolean(), false),
    }),
    output: v.object({ cookies: v.number(), origins: v.number(), expired: v.number() }),
    handle: ({ vm, tab, state, replace }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const done = await on.guest.state.import(parsed(ImportState, { state, replace, tab: on.tab }), on.signal);
        return {
          text: `${done.cookies} cookies and ${done.origins} origins are set; ${done.expired} cookies had expired.`,
          structured: { cookies: done.cookies, origins: done.origins, expired: done.expired },
        };
      }),
  }),
  tool({
    name: "browser_clear_state",
    title: "Clear the browser's state",
    description: "Clears cookies, storage, caches: all parts of all origins unless some are named.",
    input: v.strictObject({
      ...onPage,
      parts: v.optional(v.array(v.picklist(STATE_PARTS))),
      origins: v.optional(v.array(words(2_048))),
      confirm,
    }),
    output: v.object({ origins: v.array(v.string()) }),
    effect: "destroy",
    isIdempotent: true,
    question: ({ vm, parts, origins }) =>
      `Clear ${parts ? line(parts.join(", ")) : "cookies, storage and caches"} of ${origins ? line(origins.join(", "), 500) : "all sites"} in the browser of ${vm}? Logins in it are lost.`,
    handle: ({ vm, tab, confirm: _confirmed, ...which }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const { origins } = await on.guest.state.clear(parsed(ClearState, { ...which, tab: on.tab }), on.signal);
        return { text: `Cleared for ${origins.length} origins.`, structured: { origins } };
      }),
  }),
];
