import type { Protocol } from "devtools-protocol";
import {
  checkCookies,
  type ClearCookies,
  type Cookie,
  type CookieList,
  type CookiesCleared,
  type CookiesSet,
  firstOf,
  type GetCookies,
  HypeError,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { Context } from "./context.ts";

/** net/cookies/cookie_monster.h: kMaxCookies, kDomainMaxCookies; beyond them it drops a tenth at once. */
const LIMITS = "it has room for 3300 cookies, 180 of a site";
/** Cookies a command carries. */
const BATCH = 500;

/** All cookies, of all sites, httpOnly and partitioned ones too. */
export async function getCookies(context: Context, { urls }: Pick<GetCookies, "urls">): Promise<CookieList> {
  const { cookies } = await context.send("Storage.getCookies", context.params);
  const wanted = urls?.map((url) => new URL(url));
  const chosen = wanted ? cookies.filter((cookie) => wanted.some((url) => isSentTo(cookie, url))) : cookies;
  return { items: chosen.map(fromProtocol) };
}

/**
 * Sets them all, and looks whether they are there.
 * @throws HypeError `state_invalid` naming each bad one, before any is set | `state_incomplete` naming those Chromium did not keep
 */
export async function setCookies(context: Context, given: unknown[]): Promise<CookiesSet> {
  const { good, expired } = checkCookies(given);
  const refused: string[] = [];
  for (let at = 0; at < good.length; at += BATCH) await setBatch(context, good.slice(at, at + BATCH), refused);
  const there = new Map((await getCookies(context, {})).items.map((cookie) => [keyOf(cookie), cookie.value]));
  const missing = [...new Map(good.map((cookie) => [keyOf(cookie), cookie])).values()]
    .filter((cookie) => there.get(keyOf(cookie)) !== cookie.value)
    .filter((cookie) => !refused.some((line) => line.startsWith(`${label(cookie)}:`)))
    .map(label);
  const kept = good.length - refused.length - missing.length;
  const lost = [
    ...(refused.length > 0 ? [`Chromium refused ${firstOf(refused)}`] : []),
    ...(missing.length > 0 ? [`Chromium did not keep (${LIMITS}) ${firstOf(missing)}`] : []),
  ];
  if (lost.length > 0)
    throw new HypeError("state_incomplete", `${kept} of ${good.length} cookies are set; ${lost.join("; ")}`);
  return { set: good.length, expired };
}

/** Removes those that match all that was named; without a name all. */
export async function clearCookies(
  context: Context,
  { name, domain, path }: Pick<ClearCookies, "name" | "domain" | "path">,
): Promise<CookiesCleared> {
  const { items } = await getCookies(context, {});
  const isMeant = (cookie: Cookie) =>
    (name === undefined || cookie.name === name) &&
    (domain === undefined || cookie.domain === domain || cookie.domain === `.${domain}`) &&
    (path === undefined || cookie.path === path);
  return removeCookies(context, items.filter(isMeant), items.length);
}

/** DevTools delete by site and name only, across partitions: an expiry in the past removes just this one. */
export async function removeCookies(context: Context, cookies: Cookie[], all: number): Promise<CookiesCleared> {
  if (cookies.length === all) await context.send("Storage.clearCookies", context.params);
  else
    for (let at = 0; at < cookies.length; at += BATCH)
      await context.send("Storage.setCookies", {
        ...context.params,
        cookies: cookies.slice(at, at + BATCH).map((cookie) => ({ ...toProtocol(cookie), expires: 1 })),
      });
  return { cleared: cookies.length };
}

/** Chromium refuses a batch for one bad cookie, without saying which: halve until it stands alone. */
async function setBatch(context: Context, cookies: Cookie[], refused: string[]): Promise<void> {
  try {
    await context.send("Storage.setCookies", { ...context.params, cookies: cookies.map(toProtocol) });
  } catch (thrown) {
    if (!(thrown instanceof CommandRefused)) throw thrown;
    if (cookies.length === 1) return void refused.push(`${label(cookies[0]!)}: ${thrown.detail}`);
    const half = Math.ceil(cookies.length / 2);
    await setBatch(context, cookies.slice(0, half), refused);
    await setBatch(context, cookies.slice(half), refused);
  }
}

function toProtocol(cookie: Cookie): Protocol.Network.CookieParam {
  const { partitionKey, _crHasCrossSiteAncestor, expires, sameSite, priority, domain, ...same } = cookie;
  // A domain given as such makes a cookie for sub-domains too; a cookie of one host is set by its address.
  const host = domain.startsWith(".") ? { domain } : { url: `http${cookie.secure ? "s" : ""}://${domain}/` };
  return {
    ...same,
    ...host,
    ...(expires < 0 ? {} : { expires }),
    ...(sameSite && { sameSite: sameSite as Protocol.Network.CookieSameSite }),
    ...(priority && { priority: priority as Protocol.Network.CookiePriority }),
    ...(partitionKey !== undefined && {
      partitionKey: { topLevelSite: partitionKey, hasCrossSiteAncestor: _crHasCrossSiteAncestor ?? true },
    }),
  };
}

function fromProtocol(cookie: Protocol.Network.Cookie): Cookie {
  return {
    name: cookie.name,
    value: cookie.value,
    domain: cookie.domain,
    path: cookie.path,
    expires: cookie.session ? -1 : cookie.expires,
    httpOnly: cookie.httpOnly,
    secure: cookie.secure,
    ...(cookie.sameSite && { sameSite: cookie.sameSite }),
    ...(cookie.partitionKey && {
      partitionKey: cookie.partitionKey.topLevelSite,
      _crHasCrossSiteAncestor: cookie.partitionKey.hasCrossSiteAncestor,
    }),
    ...(cookie.priority !== "Medium" && { priority: cookie.priority }),
  };
}

/** RFC 6265 section 5.4, without same-site rules: there is no request to judge. */
function isSentTo(cookie: Protocol.Network.Cookie, url: URL): boolean {
  const host = cookie.domain.replace(/^\./, "");
  const isHost = url.hostname === host || (cookie.domain.startsWith(".") && url.hostname.endsWith(`.${host}`));
  const isPath =
    url.pathname === cookie.path ||
    url.pathname.startsWith(cookie.path.endsWith("/") ? cookie.path : `${cookie.path}/`);
  const isSafe = !cookie.secure || url.protocol === "https:" || url.hostname === "localhost";
  return isHost && isPath && isSafe;
}

const keyOf = ({ name, domain, path, partitionKey, _crHasCrossSiteAncestor }: Cookie) =>
  JSON.stringify([
    name,
    domain.toLowerCase(),
    path,
    ...(partitionKey === undefined ? [] : [partitionKey, _crHasCrossSiteAncestor ?? true]),
  ]);
const label = (cookie: Cookie) => `${JSON.stringify(cookie.name.slice(0, 80))} of ${cookie.domain}${cookie.path}`;
