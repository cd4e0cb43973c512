import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import * as v from "valibot";
import { Emulate, GetEmulation, ResetEmulation } from "../../src/contract/index.ts";
import { refused } from "../lib/refused.ts";
import { startStateWorld, type StateWorld } from "../lib/state-world.ts";

setDefaultTimeout(20_000);
let agent: StateWorld["agent"];
let world: StateWorld;
let site: StateWorld["site"];
let guest: StateWorld["guest"];
let page: StateWorld["page"];
let home: string;
beforeAll(async () => {
  world = await startStateWorld();
  ({ agent, site, guest, page } = world);
  home = (await page.navigate(`${site.origin}/`)).tab;
}, 40_000);
afterAll(() => world[Symbol.asyncDispose]());
afterEach(async () => {
  await guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
});

const emulate = (settings: object) => guest.overlay.emulate(v.parse(Emulate, settings));
const newTab = async (url: string): Promise<string> =>
  JSON.parse(new TextDecoder().decode((await guest.cdpJson(`/json/new?${url}`, "PUT")).bytes)).id;
const closeTab = (id: string) => guest.cdpJson(`/json/close/${id}`);

const ANDROID =
  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.1.2 Mobile Safari/537.36";

const HINTS = {
  brands: [{ brand: "Tick", version: "7" }],
  full_version_list: [{ brand: "Tick", version: "7.1.2" }],
  platform: "Tock",
  platform_version: "3.2.1",
  architecture: "arm",
  model: "T1",
  mobile: true,
  bitness: "32",
};

/** Setting, what the page sees of it, and what it must say. */
const SEEN: [string, object, string, unknown][] = [
  ["viewport", { viewport: { width: 412, height: 915 } }, "[innerWidth, innerHeight, screen.width]", [412, 915, 412]],
  ["device scale", { device_scale_factor: 3 }, "devicePixelRatio", 3],
  ["touch", { touch: true }, "navigator.maxTouchPoints", 5],
  ["user agent", { user_agent: ANDROID }, "[navigator.userAgent, navigator.platform]", [ANDROID, "Linux armv81"]],
  [
    "client hints",
    { user_agent: ANDROID },
    "navigator.userAgentData && [navigator.userAgentData.mobile, navigator.userAgentData.platform]",
    [true, "Android"],
  ],
  ["locale", { locale: "de-DE" }, "[(1234.5).toLocaleString(), navigator.language]", ["1.234,5", "de-DE"]],
  [
    "time zone",
    { timezone: "Asia/Tokyo" },
    "[new Date(0).getHours(), Intl.DateTimeFormat().resolvedOptions().timeZone]",
    [9, "Asia/Tokyo"],
  ],
  ["colours", { color_scheme: "dark" }, "matchMedia('(prefers-color-scheme: dark)').matches", true],
  ["motion", { reduced_motion: "reduce" }, "matchMedia('(prefers-reduced-motion: reduce)').matches", true],
  ["forced colours", { forced_colors: "active" }, "matchMedia('(forced-colors: active)').matches", true],
  ["contrast", { contrast: "more" }, "matchMedia('(prefers-contrast: more)').matches", true],
  [
    "client hints that are given",
    { user_agent: ANDROID, client_hints: HINTS },
    "navigator.userAgentData.getHighEntropyValues(['model', 'platformVersion', 'architecture', 'bitness', 'fullVersionList']).then((all) => [all.brands, all.mobile, all.platform, all.model, all.platformVersion, all.architecture, all.bitness, all.fullVersionList])",
    [HINTS.brands, true, "Tock", "T1", "3.2.1", "arm", "32", HINTS.full_version_list],
  ],
  [
    "client hints on the wire",
    { user_agent: ANDROID, client_hints: HINTS },
    `fetch('/echo').then((reply) => reply.json()).then((sent) => [sent["user-agent"], sent["sec-ch-ua"], sent["sec-ch-ua-mobile"], sent["sec-ch-ua-platform"]])`,
    [ANDROID, '"Tick";v="7"', "?1", '"Tock"'],
  ],
  ["print", { media: "print" }, "matchMedia('print').matches", true],
  [
    "offline",
    { offline: true },
    "fetch('/data.json').then(() => 'answered', () => 'failed').then((how) => [how, navigator.onLine])",
    ["failed", false],
  ],
  [
    "headers",
    { extra_headers: { "x-mine": "yes" } },
    "fetch('/echo').then((reply) => reply.json()).then((headers) => headers['x-mine'])",
    "yes",
  ],
  ["accept language", { accept_language: "fr, en;q=0.5" }, "navigator.languages[0]", "fr"],
  [
    "place",
    {
      geolocation: { latitude: 52.5, longitude: 13.4, accuracy: 10 },
      permissions: [{ name: "geolocation", setting: "granted" }],
    },
    "new Promise((done, fail) => navigator.geolocation.getCurrentPosition((at) => done([at.coords.latitude, at.coords.longitude]), (error) => fail(new Error(error.message))))",
    [52.5, 13.4],
  ],
  [
    "permission",
    { permissions: [{ name: "notifications", setting: "granted" }] },
    "navigator.permissions.query({ name: 'notifications' }).then((found) => found.state)",
    "granted",
  ],
];

describe("for all", () => {
  test.each(SEEN)(
    "%s: at once, after a change of site, in a new tab; and taken back",
    async (_name, settings, expression, expected) => {
      const see = () => page.evaluate(expression, { tab: home });
      const before = await see().catch(() => "refused");
      expect(before).not.toEqual(expected);
      await emulate(settings);
      expect(await see()).toEqual(expected);
      if (!("offline" in settings)) {
        await page.navigate(`${site.other}/`, { tab: home });
        await page.navigate(`${site.origin}/`, { tab: home });
        expect(await see()).toEqual(expected);
        const added = await newTab(`${site.origin}/`);
        try {
          expect(await page.evaluate(expression, { tab: added })).toEqual(expected);
        } finally {
          await closeTab(added);
        }
      }
      await guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
      expect(await see().catch(() => "refused")).toEqual(before);
    },
    20_000,
  );

  test("a slower network and a slower processor", async () => {
    const timed =
      "(async () => { const t = performance.now(); await (await fetch('/data.json', { cache: 'no-store' })).text(); return performance.now() - t })()";
    await emulate({ network: { latency_ms: 300 } });
    expect(await page.evaluate(timed)).toBeGreaterThan(290);
    await emulate({ network: null, cpu_slowdown: 4 });
    expect((await guest.overlay.emulation(v.parse(GetEmulation, {}))).all).toEqual({ cpu_slowdown: 4 });
  });

  test("a processor of a twentieth of the speed takes several times as long", async () => {
    const work =
      "(() => { const t = performance.now(); let n = 0; for (let i = 0; i < 2e7; i++) n = (n + i) % 7; return performance.now() - t; })()";
    await page.evaluate(work, { tab: home });
    const usual = (await page.evaluate(work, { tab: home })) as number;
    await emulate({ cpu_slowdown: 20 });
    expect(await page.evaluate(work, { tab: home })).toBeGreaterThan(3 * usual);
  });

  // 1,000 bytes at 500 bytes a second.
  test.each([
    ["down", { download_kbps: 4 }, "fetch('/file', { cache: 'no-store' })"],
    ["up", { upload_kbps: 4 }, "fetch('/echo', { method: 'POST', body: 'x'.repeat(1000) })"],
  ])("a narrow line %s", async (_way, network, ask) => {
    await page.navigate(`${site.origin}/`, { tab: home });
    await emulate({ network });
    const took = `(async () => { const t = performance.now(); await (await ${ask}).text(); return performance.now() - t })()`;
    expect(await page.evaluate(took, { tab: home })).toBeGreaterThan(1_500);
  });

  test("offline holds in a tab that is opened under it", async () => {
    await emulate({ offline: true });
    const added = await newTab("about:blank");
    try {
      await expect(page.navigate(`${site.origin}/`, { tab: added })).rejects.toThrow(/ERR_INTERNET_DISCONNECTED/);
      await emulate({ offline: false });
      expect((await page.navigate(`${site.origin}/`, { tab: added })).status).toBe(200);
    } finally {
      await closeTab(added);
    }
  });

  test("credentials answer the site, only where they are meant, and only once when wrong", async () => {
    const open = async () => (await page.navigate(`${site.origin}/private`)).status;
    const give = (password: string, origin: string) =>
      emulate({ http_credentials: { username: "ada", password, origin } });
    await give("secret", site.other);
    expect(await open()).toBe(401);
    await give("wrong", site.origin);
    expect(await open()).toBe(401);
    await give("secret", site.origin);
    expect(await open()).toBe(200);
    const now = await guest.overlay.emulation(v.parse(GetEmulation, {}));
    expect(JSON.stringify(now)).not.toContain("secret");
    await page.navigate(`${site.origin}/`);
  });

  test("workers and frames see it too", async () => {
    await emulate({ user_agent: ANDROID, timezone: "Asia/Tokyo" });
    const worker =
      "new Promise((done) => { const w = new Worker(URL.createObjectURL(new Blob(['postMessage([navigator.userAgent, new Date(0).getHours()])']))); w.onmessage = ({ data }) => done(data); })";
    expect(await page.evaluate(worker)).toEqual([ANDROID, 9]);
    const frame = `new Promise((done) => { const f = document.body.appendChild(document.createElement('iframe')); f.src = '${site.other}/echo';
      f.onload = () => done(0); })`;
    await page.evaluate(frame);
    expect(site.seen.findLast(({ path }) => path === "/echo")!.headers.get("user-agent")).toBe(ANDROID);
  });
});

describe("one tab", () => {
  test("its own settings come first; the others keep theirs", async () => {
    const { tab } = await page.navigate(`${site.origin}/`);
    const added = await newTab(`${site.origin}/`);
    await emulate({ viewport: { width: 500, height: 400 }, color_scheme: "dark" });
    const now = await emulate({ tab, viewport: { width: 300, height: 200 } });
    expect(now).toEqual({
      all: { viewport: { width: 500, height: 400 }, color_scheme: "dark" },
      tab: { viewport: { width: 300, height: 200 } },
      effective: { viewport: { width: 300, height: 200 }, color_scheme: "dark" },
    });
    expect(await page.evaluate("innerWidth", { tab })).toBe(300);
    expect(await page.evaluate("innerWidth", { tab: added })).toBe(500);
    await guest.overlay.resetEmulation(v.parse(ResetEmulation, { tab }));
    expect(await page.evaluate("innerWidth", { tab })).toBe(500);
    await closeTab(added);
    await page.evaluate("0", { tab });
  });
  test("tab_not_found", async () => {
    await refused("tab_not_found", emulate({ tab: "NOPE", touch: true }));
  });
});

describe("what cannot be had", () => {
  test.each<[string, object, RegExp]>([
    ["a time zone", { timezone: "Nowhere/City" }, /timezone: .*[Ii]nvalid/],
    ["a locale", { locale: "!!" }, /locale: .*[Ii]nvalid/],
    ["a permission", { permissions: [{ name: "world-peace", setting: "granted" }] }, /permissions: world-peace/],
  ])("%s: Chromium's reason, and nothing is changed", async (_name, settings, reason) => {
    await emulate({ color_scheme: "dark" });
    expect(await refused("emulation_refused", emulate({ ...settings, touch: true }))).toMatch(reason);
    expect((await guest.overlay.emulation(v.parse(GetEmulation, {}))).all).toEqual({ color_scheme: "dark" });
    expect(
      await page.evaluate("[navigator.maxTouchPoints, matchMedia('(prefers-color-scheme: dark)').matches]"),
    ).toEqual([0, true]);
  });

  test.each<[string, object]>([
    ["a time zone", { timezone: "No/Where" }],
    ["a user agent of two lines", { user_agent: "a\nb" }],
  ])("%s, asked for before anything else: refused as well", async (_name, settings) => {
    await guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
    for (let times = 0; times < 2; times++) {
      await refused("emulation_refused", emulate(settings));
      expect((await guest.overlay.emulation(v.parse(GetEmulation, {}))).all).toEqual({});
    }
  });
  test("at the same time as what can: that stays", async () => {
    await guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
    const [bad, good] = await Promise.allSettled([emulate({ timezone: "No/Where" }), emulate({ locale: "de-DE" })]);
    expect([bad.status, good.status]).toEqual(["rejected", "fulfilled"]);
    expect((await guest.overlay.emulation(v.parse(GetEmulation, {}))).all).toEqual({ locale: "de-DE" });
    expect(await page.evaluate("Intl.DateTimeFormat().resolvedOptions().locale")).toBe("de-DE");
  });
});

test("a DevTools client that sets its own afterwards keeps it", async () => {
  await emulate({ viewport: { width: 500, height: 400 }, user_agent: "ours" });
  const browser = await chromium.connectOverCDP(agent.endpoint, {
    headers: { authorization: `Bearer ${agent.token}` },
  });
  try {
    const context = await browser.newContext({
      viewport: { width: 640, height: 480 },
      userAgent: "theirs",
      locale: "fr-FR",
      timezoneId: "Asia/Tokyo",
    });
    const theirs = await context.newPage();
    await theirs.goto(`${site.origin}/`);
    const see = () => theirs.evaluate("[innerWidth, navigator.userAgent, new Date(0).getHours()]");
    expect(await see()).toEqual([640, "theirs", 9]);
    await theirs.goto(`${site.other}/`);
    expect(await see()).toEqual([640, "theirs", 9]);
    await context.close();
  } finally {
    await browser.close();
  }
}, 20_000);

test("it comes back with a browser that died", async () => {
  await emulate({ user_agent: "kept" });
  const { chromium: before } = await guest.health();
  process.kill(-before.pid!, "SIGKILL");
  for await (const event of guest.events(AbortSignal.timeout(30_000)))
    if (event.type === "browser_ready" && event.restarts > before.restarts) break;
  await page.navigate(`${site.origin}/echo`);
  expect(site.seen.at(-1)!.headers.get("user-agent") ?? "").toBe("kept");
  await page.navigate(`${site.origin}/`);
}, 40_000);
