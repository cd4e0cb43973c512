import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { Interceptor } from "../../agent/intercept/interceptor.ts";
import { CommandRefused } from "../../agent/cdp/connection.ts";
import { Overlay } from "../../agent/overlay/overlay.ts";
import type { OverlayTarget } from "../../agent/overlay/target.ts";
import { AddRule, ListRules, OpenTab, RemoveRules, type RESOURCE_TYPES } from "../../src/contract/index.ts";
import { refused } from "../lib/refused.ts";
import { startStateWorld, type StateWorld } from "../lib/state-world.ts";

setDefaultTimeout(30_000);

describe("rules hold wherever a request of the page begins", () => {
  let world: StateWorld;
  let site: StateWorld["site"];
  let guest: StateWorld["guest"];
  let page: StateWorld["page"];
  beforeAll(async () => {
    world = await startStateWorld();
    ({ site, guest, page } = world);
  }, 40_000);
  afterAll(() => world[Symbol.asyncDispose]());
  afterEach(async () => {
    await guest.overlay.removeRules(v.parse(RemoveRules, {}));
  });

  const mock = (path: string, more: object = {}) =>
    guest.overlay.addRule(
      v.parse(AddRule, {
        url: `*${path}`,
        action: { type: "mock", body: "mocked", headers: { "content-type": "text/html" } },
        ...more,
      }),
    );
  const FETCH = "fetch('/data.json', { cache: 'no-store' }).then((reply) => reply.text(), () => 'failed')";
  const REAL = '{"answer":42}';
  const fresh = () => guest.openTab(v.parse(OpenTab, { url: `${site.origin}/` }));

  /** What makes a page ask for `/wanted` as such a type. */
  const MEANS: Record<Exclude<(typeof RESOURCE_TYPES)[number], "websocket" | "other">, string> = {
    document: "document.body.append(Object.assign(document.createElement('iframe'), { src: '/wanted' }))",
    stylesheet:
      "document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/wanted' }))",
    image: "new Image().src = '/wanted'",
    media: "new Audio('/wanted').load()",
    font: "new FontFace('wanted', 'url(/wanted)').load().catch(() => {})",
    script: "document.body.append(Object.assign(document.createElement('script'), { src: '/wanted' }))",
    xhr: "{ const asked = new XMLHttpRequest(); asked.open('GET', '/wanted'); asked.send(); }",
    fetch: "fetch('/wanted').catch(() => {})",
    eventsource: "new EventSource('/wanted')",
    ping: "navigator.sendBeacon('/wanted')",
  };
  const SAME: Record<string, string> = { xhr: "fetch", fetch: "xhr" };

  test.each(Object.entries(MEANS))("the type %s is that type and no other", async (type, means) => {
    const { tab } = await fresh();
    const isAsked = async (resource_types: string[]) => {
      const { id } = await guest.overlay.addRule(
        v.parse(AddRule, { url: "*/wanted", resource_types, action: { type: "block" } }),
      );
      const before = site.seen.length;
      await page.evaluate(`${means}; 0`, { tab });
      for (;;) {
        const isSeen = site.seen.slice(before).some(({ path }) => path === "/wanted");
        const [rule] = (await guest.overlay.rules(v.parse(ListRules, {}))).items;
        if (!isSeen && rule!.hits === 0) continue;
        await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [id] }));
        return isSeen;
      }
    };
    const others = Object.keys(MEANS)
      .filter((other) => other !== type && other !== SAME[type])
      .concat("other");
    expect([await isAsked([type]), await isAsked(others)]).toEqual([false, true]);
    await guest.closeTab({ tab, timeout_ms: 10_000 });
  });

  test("a frame of another site, in its own process: there already, and made later", async () => {
    const { tab } = await fresh();
    const frame = (id: string) =>
      page.evaluate(
        `new Promise((done) => { const frame = document.createElement('iframe'); frame.id = '${id}'; frame.src = '${site.other}/'; frame.onload = () => done(1); document.body.append(frame); })`,
        { tab },
      );
    const inFrame = (id: string) => page.evaluate(`() => ${FETCH}`, { tab, frame: `#${id}` });
    await frame("before");
    expect(await inFrame("before")).toBe(REAL);
    const { id } = await mock("/data.json");
    await frame("after");
    expect([await inFrame("before"), await inFrame("after")]).toEqual(["mocked", "mocked"]);
    await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [id] }));
    expect([await inFrame("before"), await inFrame("after")]).toEqual([REAL, REAL]);
    await guest.closeTab({ tab, timeout_ms: 10_000 });
  });

  test("a popup: its document, and what it asks for", async () => {
    const { tab } = await fresh();
    await mock("/popped", { resource_types: ["document"] });
    await mock("/data.json");
    const seen = site.seen.length;
    const told = await page.evaluate(
      `new Promise((done) => { const popup = window.open('/popped'); const look = setInterval(() => {
        if (popup.document.body?.innerText !== 'mocked') return;
        clearInterval(look);
        popup.eval("${FETCH}").then((text) => { popup.close(); done(text); });
      }, 20); })`,
      { tab, timeout_ms: 20_000 },
    );
    expect(told).toBe("mocked");
    expect(site.seen.slice(seen).map(({ path }) => path)).toEqual([]);
    await guest.closeTab({ tab, timeout_ms: 10_000 });
  });

  test("a service worker's own requests, one there already and one that starts anew", async () => {
    const { tab } = await fresh();
    const ask = `new Promise((done) => { navigator.serviceWorker.onmessage = ({ data }) => done(data); navigator.serviceWorker.controller.postMessage('/data.json?' + Math.random()); })`;
    const register = `navigator.serviceWorker.register('/fetching-sw.js').then(() => new Promise((done) => { if (navigator.serviceWorker.controller) done(1); else navigator.serviceWorker.oncontrollerchange = () => done(1); }))`;
    await page.evaluate(register, { tab });
    expect(await page.evaluate(ask, { tab })).toBe(REAL);
    const { id } = await mock("/data.json\\?*");
    expect(await page.evaluate(ask, { tab })).toBe("mocked");
    await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [id] }));
    expect(await page.evaluate(ask, { tab })).toBe(REAL);
    await page.evaluate("navigator.serviceWorker.getRegistration().then((it) => it.unregister())", { tab });
    await guest.closeTab({ tab, timeout_ms: 10_000 });
  });

  test("a dedicated worker, and one in it", async () => {
    const { tab } = await fresh();
    await mock("/data.json");
    const asks = `fetch('${site.origin}/data.json', { cache: 'no-store' }).then((reply) => reply.text(), () => 'failed').then((told) => postMessage(told))`;
    const nested = `const inner = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(asks)}]))); inner.onmessage = ({ data }) => postMessage(data);`;
    const run = (script: string) =>
      page.evaluate(
        `new Promise((done) => { const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(script)}]))); worker.onmessage = ({ data }) => done(data); })`,
        { tab },
      );
    expect([await run(asks), await run(nested)]).toEqual(["mocked", "mocked"]);
    await guest.closeTab({ tab, timeout_ms: 10_000 });
  });
});

describe("what Chromium says to it", () => {
  const NO_SETTINGS = { effective: () => ({}), hasCredentials: () => false };
  /** One tab whose DevTools answer as told; a refusal cannot be had from Chromium at will. */
  const oneTab = (answer: (method: string) => Promise<unknown>) => {
    const asked: string[] = [];
    const target = {
      type: "page",
      targetId: "T1",
      tab: "T1",
      isWorker: false,
      send: (method: string) => (asked.push(method), answer(method)),
    } as unknown as OverlayTarget;
    const overlay = {
      add() {},
      refresh: () => Promise.resolve(null),
      order: Overlay.prototype.order,
      targets: [target],
    };
    return { asked, overlay, interceptor: new Interceptor(overlay as unknown as Overlay, NO_SETTINGS) };
  };
  const rule = () => v.parse(AddRule, { url: "*", action: { type: "block" } });

  test("a tab that does not stop its requests: the rule is refused, gone, and asked for anew by the next", async () => {
    let isRefusing = true;
    const { asked, interceptor } = oneTab(async (method) => {
      if (isRefusing && method === "Fetch.enable") throw new CommandRefused(method, "not now");
    });
    expect(await refused("interception_refused", interceptor.add(rule()))).toBe("page T1: Fetch.enable: not now");
    expect(interceptor.list()).toEqual([]);
    isRefusing = false;
    expect(await interceptor.add(rule())).toMatchObject({ id: "r2", action: "block" });
    expect(asked.filter((method) => method === "Fetch.enable")).toHaveLength(2);
  });

  test("a tab that goes meanwhile is no reason to refuse", async () => {
    const { overlay, interceptor } = oneTab((method) => {
      overlay.targets = [];
      return Promise.reject(new CommandRefused(method, "Session with given id not found."));
    });
    expect(await interceptor.add(rule())).toMatchObject({ id: "r1" });
  });
});
