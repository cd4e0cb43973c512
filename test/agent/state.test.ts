import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import * as v from "valibot";
import {
  ClearCookies,
  ClearState,
  ExportState,
  GetCookies,
  GetStorage,
  ImportState,
  SetCookies,
  SetStorage,
  type StorageState,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";

setDefaultTimeout(20_000);
let agent: RunningAgent;
let site: StateSite;
let guest: Guest;
beforeAll(async () => {
  site = serveStateSite();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
}, 40_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await navigate(`${site.origin}/`);
  await guest.state.clear(v.parse(ClearState, {}));
});

const navigate = (url: string) => drive(guest).navigate(url);
const evaluate = (expression: string, more: object = {}) => drive(guest).evaluate(expression, more);
const getCookies = async (more: object = {}) => (await guest.state.getCookies(v.parse(GetCookies, more))).items;
const setCookies = (cookies: unknown[]) => guest.state.setCookies(v.parse(SetCookies, { cookies }));
const exportState = (more: object = {}) => guest.state.export(v.parse(ExportState, more));
const importState = (state: unknown, more: object = {}) => guest.state.import(v.parse(ImportState, { state, ...more }));
const local = async (more: object = {}) =>
  (await guest.state.getStorage(v.parse(GetStorage, { kind: "local", ...more }))).items;

const inAnHour = Math.floor(Date.now() / 1000) + 3600;

describe("cookies", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a session cookie of one host", { name: "a", value: "1", domain: "one.test", path: "/" }],
    ["for sub-domains, until a time", { name: "b", value: "2", domain: ".two.test", path: "/p", expires: inAnHour }],
    [
      "Strict and httpOnly",
      { name: "c", value: "3", domain: "one.test", path: "/", httpOnly: true, sameSite: "Strict" },
    ],
    ["Lax", { name: "d", value: "4", domain: "one.test", path: "/", sameSite: "Lax" }],
    ["None and secure", { name: "e", value: "5", domain: "one.test", path: "/", secure: true, sameSite: "None" }],
    [
      "partitioned",
      {
        name: "f",
        value: "6",
        domain: "in.test",
        path: "/",
        secure: true,
        sameSite: "None",
        partitionKey: "https://top.test",
        _crHasCrossSiteAncestor: true,
      },
    ],
    ["__Host-", { name: "__Host-g", value: "7", domain: "one.test", path: "/", secure: true }],
    ["an empty value, an odd name", { name: "h!#$", value: "", domain: "one.test", path: "/" }],
    ["bytes beyond ASCII", { name: "i", value: "ä€\u{1f600}", domain: "one.test", path: "/" }],
    ["the longest", { name: "j", value: "x".repeat(4095), domain: "one.test", path: "/" }],
    ["of an address", { name: "k", value: "1", domain: "127.0.0.1", path: "/" }],
    ["high priority", { name: "l", value: "1", domain: "one.test", path: "/", priority: "High" }],
  ])("%s comes back as it was", async (_name, cookie) => {
    expect(await setCookies([cookie])).toEqual({ set: 1, expired: 0 });
    expect(await getCookies()).toEqual([{ expires: -1, httpOnly: false, secure: false, ...cookie } as never]);
  });

  test("what a site sets is seen, httpOnly too; what is set is sent", async () => {
    await navigate(`${site.origin}/set-cookie?cookie=${encodeURIComponent("s=v; HttpOnly; SameSite=Strict; Path=/")}`);
    expect(await getCookies()).toMatchObject([
      { name: "s", value: "v", httpOnly: true, sameSite: "Strict", expires: -1 },
    ]);
    await setCookies([{ name: "mine", value: "here", domain: "localhost", path: "/" }]);
    await navigate(`${site.origin}/echo`);
    expect(await evaluate("JSON.parse(document.body.innerText).cookie")).toBe("s=v; mine=here");
  });

  test("each bad one is named and nothing is set", async () => {
    const message = await refused(
      "state_invalid",
      setCookies([
        { name: "good", value: "1", domain: "one.test" },
        { name: "long", value: "x".repeat(4097), domain: "one.test" },
        { name: "none", value: "1", domain: "one.test", sameSite: "None" },
        { name: "semi", value: "a;b", domain: "one.test" },
        { name: "where", value: "1" },
        { name: "__Host-x", value: "1", domain: ".one.test", secure: true },
        { name: "odd", value: "1", domain: "a b" },
        { name: "site", value: "1", domain: "one.test", sameSite: "lax" },
        { name: "extra", value: "1", domain: "one.test", hostOnly: true },
      ]),
    );
    for (const [index, name] of ["long", "none", "semi", "where", "__Host-x", "odd", "site", "extra"].entries())
      expect(message).toContain(`cookies.${index + 1} (${JSON.stringify(name)})`);
    expect(message).not.toContain("good");
    expect(await getCookies()).toEqual([]);
  });

  test("what only Chromium refuses is named, the others are there", async () => {
    const message = await refused(
      "state_incomplete",
      setCookies([
        { name: "good", value: "1", domain: "one.test" },
        { name: "public", value: "1", domain: "in.test", secure: true, partitionKey: "no site" },
        { name: "fine", value: "1", domain: "two.test" },
      ]),
    );
    expect(message).toContain('"public" of in.test/');
    expect((await getCookies()).map(({ name }) => name).sort()).toEqual(["fine", "good"]);
  });

  test("as many as Chromium has room for are all there; a surplus is counted and named", async () => {
    const cookies = (count: number, sites: number) =>
      Array.from({ length: count }, (_, n) => ({
        name: `n${n}`,
        value: `${n}`,
        domain: `d${n % sites}.test`,
        expires: inAnHour,
      }));
    expect(await setCookies(cookies(3000, 100))).toEqual({ set: 3000, expired: 0 });
    expect(await getCookies()).toHaveLength(3000);
    const message = await refused("state_incomplete", setCookies(cookies(10_000, 100)));
    expect(message).toStartWith(`${(await getCookies()).length} of 10000 cookies are set; Chromium did not keep`);
    expect(message).toContain('"n0" of d0.test/');
    await guest.state.clear(v.parse(ClearState, {}));
    expect(await refused("state_incomplete", setCookies(cookies(300, 1)))).toMatch(/^\d+ of 300 cookies are set/);
  }, 60_000);

  test("two that differ only in whether a frame of another site stood between are two", async () => {
    const partitioned = { name: "p", domain: "in.test", path: "/", secure: true, partitionKey: "https://top.test" };
    const both = [
      { ...partitioned, value: "across", _crHasCrossSiteAncestor: true },
      { ...partitioned, value: "within", _crHasCrossSiteAncestor: false },
    ];
    expect(await setCookies(both)).toEqual({ set: 2, expired: 0 });
    const kept = (await getCookies()).map(({ value, _crHasCrossSiteAncestor }) => ({ value, _crHasCrossSiteAncestor }));
    expect(kept.toSorted((a, b) => a.value.localeCompare(b.value))).toEqual(
      both.map(({ value, _crHasCrossSiteAncestor }) => ({ value, _crHasCrossSiteAncestor })),
    );
  });

  test("an expired one is left out and counted", async () => {
    expect(await setCookies([{ name: "old", value: "1", domain: "one.test", expires: 1000 }])).toEqual({
      set: 0,
      expired: 1,
    });
  });

  test("those sent to an address; clearing by what they are", async () => {
    await setCookies([
      { name: "a", value: "1", domain: "one.test", path: "/" },
      { name: "a", value: "2", domain: ".two.test", path: "/" },
      { name: "b", value: "3", domain: "in.test", path: "/", secure: true, partitionKey: "https://x.test" },
      { name: "b", value: "4", domain: "in.test", path: "/", secure: true, partitionKey: "https://y.test" },
    ]);
    expect(await getCookies({ urls: ["http://www.two.test/x"] })).toMatchObject([{ value: "2" }]);
    const clear = (more: object) => guest.state.clearCookies(v.parse(ClearCookies, more));
    expect(await clear({ name: "a", domain: "two.test" })).toEqual({ cleared: 1 });
    expect((await getCookies()).map(({ value }) => value).sort()).toEqual(["1", "3", "4"]);
    expect(await clear({ name: "b" })).toEqual({ cleared: 2 });
    expect(await clear({})).toEqual({ cleared: 1 });
    expect(await getCookies()).toEqual([]);
  });
});

describe("storage", () => {
  test("local storage of all origins, those no tab shows too", async () => {
    await evaluate("localStorage.setItem('k', 'v\\0\\u00e4'); 0");
    await navigate(`${site.other}/`);
    await evaluate("localStorage.other = 1; 0");
    await navigate("about:blank");
    expect(await local()).toEqual([
      { origin: site.other, tab: null, entries: [{ name: "other", value: "1" }] },
      { origin: site.origin, tab: null, entries: [{ name: "k", value: "v\0ä" }] },
    ]);
    expect((await guest.tabs()).items).toHaveLength(1);
  });
  test("set and replace; the site is not asked for it", async () => {
    const before = site.seen.length;
    await guest.state.setStorage(
      v.parse(SetStorage, {
        kind: "local",
        origin: "https://never-seen.test",
        entries: [
          { name: "a", value: "1" },
          { name: "b", value: "2" },
        ],
      }),
    );
    await guest.state.setStorage(
      v.parse(SetStorage, {
        kind: "local",
        origin: "https://never-seen.test",
        entries: [{ name: "b", value: "3" }],
        replace: true,
      }),
    );
    expect(await local({ origins: ["https://never-seen.test"] })).toMatchObject([
      { entries: [{ name: "b", value: "3" }] },
    ]);
    expect(site.seen.length).toBe(before);
  });
  test("what does not fit is named", async () => {
    const entries = [
      { name: "small", value: "1" },
      { name: "huge", value: "x".repeat(6 * 1024 * 1024) },
    ];
    const message = await refused(
      "state_incomplete",
      guest.state.setStorage(v.parse(SetStorage, { kind: "local", origin: site.other, entries })),
    );
    expect(message).toContain('"huge" (6291456 characters): QuotaExceededError');
    expect(await local({ origins: [site.other] })).toMatchObject([{ entries: [{ name: "small", value: "1" }] }]);
  });
  test("a page in an endless loop does not stand in the way", async () => {
    await evaluate("localStorage.k = 'kept'; 0");
    await navigate(`${site.origin}/loops`);
    expect(await local()).toMatchObject([{ origin: site.origin, entries: [{ name: "k", value: "kept" }] }]);
    await refused("operation_timeout", evaluate("1", { timeout_ms: 300 }));
    await navigate(`${site.origin}/`);
  });
  test("session storage is the tab's", async () => {
    const entries = [{ name: "s", value: "1" }];
    await guest.state.setStorage(v.parse(SetStorage, { kind: "session", origin: site.origin, entries }));
    expect(await evaluate("sessionStorage.s")).toBe("1");
    const { items } = await guest.state.getStorage(v.parse(GetStorage, { kind: "session" }));
    expect(items).toMatchObject([{ origin: site.origin, tab: expect.any(String), entries }]);
    await refused(
      "tab_not_found",
      guest.state.setStorage(v.parse(SetStorage, { kind: "session", origin: "https://x.test", entries })),
    );
  });
});

const MAKE_DATABASE = `new Promise((resolve, reject) => {
  const request = indexedDB.open("shop", 3);
  request.onupgradeneeded = () => {
    const inline = request.result.createObjectStore("inline", { keyPath: "id", autoIncrement: true });
    inline.createIndex("by", ["a", "b"], { unique: true });
    inline.put({ id: 1, a: 1, b: "x", when: new Date(5), big: 10n, bytes: new Uint8Array([0, 255]), none: undefined, nan: NaN });
    request.result.createObjectStore("outline").put([1, [2]], new Date(7));
    const cycle = { name: "c" }; cycle.self = cycle;
    request.result.createObjectStore("third").put(cycle, [1, "two"]);
  };
  request.onsuccess = () => { request.result.close(); resolve(0); };
  request.onerror = () => reject(request.error);
})`;
const READ_DATABASE = `new Promise((resolve, reject) => {
  const request = indexedDB.open("shop");
  request.onsuccess = () => {
    const db = request.result, t = db.transaction(["inline", "outline", "third"]);
    const indexes = Array.from(t.objectStore("inline").indexNames), one = t.objectStore("inline").get(1), two = t.objectStore("outline").get(new Date(7)), three = t.objectStore("third").get([1, "two"]);
    t.oncomplete = () => { db.close(); resolve([db.version, indexes, one.result.when.getTime(), String(one.result.big),
      Array.from(one.result.bytes), "none" in one.result, String(one.result.nan), two.result, three.result.self === three.result]); };
  };
})`;
const DATABASE = [3, ["by"], 5, "10", [0, 255], true, "NaN", [1, [2]], true];

test("what a former run of the browser kept is found, on disk", async () => {
  const many = Array.from({ length: 20 }, (_, n) => `https://site-${n}.test`);
  const entries = [{ name: "k".repeat(200), value: "v".repeat(20_000) }];
  await importState({ origins: many.map((origin) => ({ origin, localStorage: entries })) });
  await evaluate(MAKE_DATABASE);
  const { restarts } = (await guest.health()).chromium;
  const { url, headers } = guest.cdpSocket("/devtools/browser");
  const socket = new WebSocket(url, { headers } as never); // Bun's own option; the DOM's types do not know it
  socket.addEventListener("open", () => socket.send(JSON.stringify({ id: 1, method: "Browser.close" })));
  for await (const event of guest.events(AbortSignal.timeout(30_000)))
    if (event.type === "browser_ready" && event.restarts > restarts) break;
  const { origins } = await exportState();
  expect(origins.map(({ origin }) => origin).sort()).toEqual([site.origin, ...many].sort());
  expect(origins.find(({ origin }) => origin === many[7])).toEqual({ origin: many[7]!, localStorage: entries });
}, 60_000);

describe("the whole state", () => {
  test("what is exported is what an import brings back, databases with all their types", async () => {
    await setCookies([{ name: "a", value: "1", domain: "one.test", httpOnly: true }]);
    await evaluate("localStorage.token = 'abc'; 0");
    await evaluate(MAKE_DATABASE);
    const state = await exportState();
    expect(state.omitted).toBeUndefined();
    await guest.state.clear(v.parse(ClearState, {}));
    expect(await exportState()).toEqual({ cookies: [], origins: [] });
    await navigate("about:blank");
    expect(await importState(state)).toEqual({ cookies: 1, expired: 0, origins: 1 });
    await navigate(`${site.origin}/`);
    expect(await evaluate("localStorage.token")).toBe("abc");
    expect(await evaluate(READ_DATABASE)).toEqual(DATABASE);
    expect(await exportState()).toEqual(state);
  });

  test("Playwright reads ours and we read Playwright's", async () => {
    await setCookies([{ name: "a", value: "1", domain: "localhost", sameSite: "Lax" }]);
    await evaluate("localStorage.token = 'abc'; 0");
    await evaluate(MAKE_DATABASE.replace("cycle.self = cycle", "cycle.self = 0")); // Playwright's own export keeps a cycle, which no JSON holds
    const database = DATABASE.with(-1, false);
    const browser = await chromium.connectOverCDP(agent.endpoint, {
      headers: { authorization: `Bearer ${agent.token}` },
    });
    try {
      const ours = await exportState();
      const context = await browser.newContext({ storageState: ours as never });
      const page = await context.newPage();
      await page.goto(`${site.origin}/`);
      expect(await page.evaluate("[localStorage.token, document.cookie]")).toEqual(["abc", "a=1"]);
      expect(await page.evaluate(READ_DATABASE)).toEqual(database);
      const theirs = (await context.storageState({ indexedDB: true })) as unknown as StorageState;
      await context.close();
      await guest.state.clear(v.parse(ClearState, {}));
      await importState(theirs);
      await navigate(`${site.origin}/`);
      expect(await evaluate("[localStorage.token, document.cookie]")).toEqual(["abc", "a=1"]);
      expect(await evaluate(READ_DATABASE)).toEqual(database);
    } finally {
      await browser.close();
    }
  }, 30_000);

  test("what no JSON carries is named", async () => {
    await evaluate(`new Promise((resolve) => { const r = indexedDB.open("blobs"); r.onupgradeneeded = () =>
      r.result.createObjectStore("s").put(new Blob(["x"]), "file"); r.onsuccess = () => { r.result.close(); resolve(0); } })`);
    expect((await exportState()).omitted).toEqual([`${site.origin}: blobs/s/file: a Blob cannot be written down`]);
    expect((await exportState({ indexeddb: false })).origins).toEqual([]);
  });

  test("bad cookies in a state are named before anything changes; replace clears what was there", async () => {
    await setCookies([{ name: "old", value: "1", domain: "one.test" }]);
    const origins = [{ origin: site.origin, localStorage: [{ name: "new", value: "1" }] }];
    await refused("state_invalid", importState({ cookies: [{ name: "x" }], origins }, { replace: true }));
    expect(await exportState()).toMatchObject({ cookies: [{ name: "old" }], origins: [] });
    await importState({ cookies: [{ name: "new", value: "1", domain: "one.test" }], origins }, { replace: true });
    expect(await exportState()).toMatchObject({ cookies: [{ name: "new" }], origins });
  });

  test("a part of one origin is cleared, the rest stays", async () => {
    await setCookies([
      { name: "a", value: "1", domain: "localhost" },
      { name: "b", value: "1", domain: "127.0.0.1" },
    ]);
    await evaluate("localStorage.a = 1; sessionStorage.a = 1; 0");
    await evaluate(MAKE_DATABASE);
    const clear = (more: object) => guest.state.clear(v.parse(ClearState, { origins: [site.origin], ...more }));
    await clear({ parts: ["indexeddb", "cookies"] });
    expect(await exportState()).toMatchObject({
      cookies: [{ name: "b" }],
      origins: [{ localStorage: [{ name: "a" }] }],
    });
    await clear({});
    expect(await evaluate("[localStorage.length, sessionStorage.length]")).toEqual([0, 0]);
    expect(await getCookies()).toMatchObject([{ name: "b" }]);
  });
});
