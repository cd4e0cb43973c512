import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import * as v from "valibot";
import { AddRule, Emulate, ListRules, OpenTab, RemoveRules } from "../../src/contract/index.ts";
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
  await guest.overlay.removeRules(v.parse(RemoveRules, {}));
});

const add = (rule: object) => guest.overlay.addRule(v.parse(AddRule, rule));
const rules = async () => (await guest.overlay.rules(v.parse(ListRules, {}))).items;
/** What a fetch of the page gets: status and text, or that it failed. */
const get = (path: string, init: object = {}, more: object = {}) =>
  page.evaluate(
    `fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(async (reply) => [reply.status, await reply.text()], () => "failed")`,
    { tab: home, ...more },
  );
const DATA = [200, '{"answer":42}'];

test.each<[string, object, string, unknown]>([
  ["an address", { url: "*/data.json" }, "/data.json", "failed"],
  ["one character", { url: "*/dat?.json" }, "/data.json", "failed"],
  ["another address passes", { url: "*/other.json" }, "/data.json", DATA],
  ["a literal question mark", { url: "*/data.json\\?a=*" }, "/data.json?a=1", "failed"],
  ["a literal question mark is no wildcard", { url: "*/data\\?json" }, "/data.json", DATA],
  ["characters that mean something in patterns", { url: "*/(data|x)+.json" }, "/data.json", DATA],
  ["a resource type", { resource_types: ["fetch", "image"] }, "/data.json", "failed"],
  ["another resource type passes", { resource_types: ["image", "media", "eventsource", "other"] }, "/data.json", DATA],
  ["a method", { methods: ["get"] }, "/data.json", "failed"],
  ["another method passes", { methods: ["POST"] }, "/data.json", DATA],
])("block by %s", async (_name, rule, path, expected) => {
  await add({ ...rule, action: { type: "block" } });
  expect(await get(path)).toEqual(expected);
});

test.each([299, 418, 419, 420, 520, 599])("mock: status %d, which the site is not asked for", async (status) => {
  await add({ url: "*/data.json", action: { type: "mock", status, body: "made up" } });
  expect(await get("/data.json")).toEqual([status, "made up"]);
});

test("mock: status, headers, text and bytes; of any origin; the site is not asked", async () => {
  const before = site.seen.length;
  await add({ url: "https://api.test/*", action: { type: "mock", status: 201, headers: { "x-a": "1" }, body: "ä" } });
  await add({ url: "*/bytes", action: { type: "mock", body_base64: "AP8=" } });
  expect(await get("https://api.test/x")).toEqual([201, "ä"]);
  expect(await get("https://api.test/x", { method: "PUT", headers: { "x-own": "1" } })).toEqual([201, "ä"]); // past its preflight
  expect(
    await page.evaluate("fetch('/bytes').then((r) => r.arrayBuffer()).then((b) => Array.from(new Uint8Array(b)))", {
      tab: home,
    }),
  ).toEqual([0, 255]);
  await add({
    url: "http://nowhere.invalid/",
    action: { type: "mock", headers: { "content-type": "text/html" }, body: "<title>made up</title>" },
  });
  expect(await page.navigate("http://nowhere.invalid/", { tab: home })).toMatchObject({
    title: "made up",
    status: 200,
  });
  await page.navigate(`${site.origin}/`, { tab: home });
  expect(site.seen.slice(before).map(({ path }) => path)).toEqual(["/"]);
});

test("headers are set and left out, and add up", async () => {
  await add({ action: { type: "headers", set: { "x-one": "1", "User-Agent": "mine" } } });
  await add({
    url: "*/echo",
    action: { type: "headers", set: { "x-two": "2" }, remove: ["accept-language", "X-Gone"] },
  });
  const [, text] = (await get("/echo", { headers: { "x-gone": "1", "x-stays": "1" } })) as [number, string];
  const headers = JSON.parse(text);
  expect(headers).toMatchObject({ "x-one": "1", "x-two": "2", "user-agent": "mine", "x-stays": "1" });
  expect(headers["x-gone"]).toBeUndefined();
});

test("headers of a rule that is removed are gone at the site, those of one that stays are not", async () => {
  const asked = async () => {
    const [, text] = (await get("/echo", { headers: { "x-own": "mine" } })) as [number, string];
    const { "x-one": one, "x-two": two, "x-own": own, "user-agent": agentName } = JSON.parse(text);
    return { one, two, own, agentName };
  };
  const plain = await asked();
  expect(plain).toMatchObject({ own: "mine", agentName: expect.stringContaining("Chrome") });
  const first = await add({
    action: { type: "headers", set: { "x-one": "1", "user-agent": "changed" }, remove: ["x-own"] },
  });
  const second = await add({ action: { type: "headers", set: { "x-two": "2" } } });
  expect(await asked()).toEqual({ one: "1", two: "2", agentName: "changed" } as never);
  await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [first.id] }));
  expect(await asked()).toEqual({ ...plain, two: "2" });
  await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [second.id] }));
  expect(await asked()).toEqual(plain);
});

test("order: the first that decides, decides; `first` goes before; hits are counted", async () => {
  const block = await add({ url: "*/data.json", action: { type: "block" } });
  await add({ url: "*", action: { type: "mock", body: "mocked" } });
  expect(await get("/data.json")).toBe("failed");
  expect(await get("/image.png")).toEqual([200, "mocked"]);
  const allow = await add({ url: "*/data.json", action: { type: "allow" }, first: true });
  expect(await get("/data.json")).toEqual(DATA);
  expect((await rules()).map(({ id, action, hits }) => [id, action, hits])).toEqual([
    [allow.id, "allow", 1],
    [block.id, "block", 1],
    [expect.any(String), "mock", 1],
  ]);
  await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [allow.id, block.id] }));
  expect(await get("/data.json")).toEqual([200, "mocked"]);
  expect(await refused("rule_not_found", guest.overlay.removeRules(v.parse(RemoveRules, { ids: ["r0"] })))).toContain(
    "r0",
  );
});

test("they hold after a change of site, in frames, workers and new tabs; a tab's own only there", async () => {
  await add({ url: "*/data.json", action: { type: "block" } });
  await add({ url: "*/image.png", action: { type: "block" }, tab: home });
  await page.navigate(`${site.other}/`, { tab: home });
  expect(await get("/data.json")).toBe("failed");
  const added = JSON.parse(
    new TextDecoder().decode((await guest.cdpJson(`/json/new?${site.origin}/`, "PUT")).bytes),
  ).id;
  try {
    expect(await get("/data.json", {}, { tab: added })).toBe("failed");
    expect(await get("/image.png", {}, { tab: added })).toMatchObject([200, expect.any(String)]);
  } finally {
    await guest.cdpJson(`/json/close/${added}`);
  }
  expect(await get("/image.png")).toBe("failed");
  const inFrame = `new Promise((done) => { onmessage = ({ data }) => done(data); const f = document.createElement('iframe');
    f.src = '${site.origin}/'; f.srcdoc = "<script>fetch('/data.json').then(() => parent.postMessage('answered', '*'), () => parent.postMessage('failed', '*'))</script>"; document.body.append(f); })`;
  expect(await page.evaluate(inFrame, { tab: home })).toBe("failed");
  const inWorker = `new Promise((done) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('${site.other}/data.json').then(() => postMessage('answered'), () => postMessage('failed'))"]))); w.onmessage = ({ data }) => done(data); })`;
  expect(await page.evaluate(inWorker, { tab: home })).toBe("failed");
});

test("a DevTools client's own routes work beside them", async () => {
  await add({ url: "*/data.json", action: { type: "headers", set: { "x-ours": "1" } } });
  const browser = await chromium.connectOverCDP(agent.endpoint, {
    headers: { authorization: `Bearer ${agent.token}` },
  });
  try {
    const theirs = await browser.contexts()[0]!.newPage();
    await theirs.goto(`${site.origin}/`);
    await theirs.route("**/image.png", (route) => route.fulfill({ body: "theirs" }));
    await theirs.route("**/data.json", (route) => route.continue());
    expect(await theirs.evaluate("fetch('/image.png').then((r) => r.text())")).toBe("theirs");
    expect(await theirs.evaluate("fetch('/data.json').then((r) => r.text())")).toBe('{"answer":42}');
    expect(site.seen.at(-1)!.headers.get("x-ours")).toBe("1");
    await theirs.close();
  } finally {
    await browser.close();
  }
}, 20_000);

test("nothing hangs when rules go while requests are under way", async () => {
  await add({ url: "*", action: { type: "headers", set: { "x-a": "1" } } });
  const all = page.evaluate(
    "Promise.all(Array.from({ length: 200 }, (_, n) => fetch('/data.json?' + n).then((r) => r.status, () => 'failed')))",
    { tab: home },
  );
  await guest.overlay.removeRules(v.parse(RemoveRules, {}));
  expect(new Set((await all) as unknown[])).toEqual(new Set([200]));
});

test.each<[string, object]>([
  ["two bodies", { action: { type: "mock", body: "a", body_base64: "AA==" } }],
  ["a header that is Chromium's", { action: { type: "headers", set: { Host: "other.test", "x-a": "1" } } }],
  ["a header with a line break", { action: { type: "mock", headers: { a: "b\r\nc: d" } } }],
  ["a type there is not", { resource_types: ["picture"], action: { type: "block" } }],
])("invalid: %s", async (_name, rule) => {
  expect(v.safeParse(AddRule, rule).success).toBe(false);
  await refused("invalid_request", page.post("add-rule", rule));
});
test("tab_not_found", async () => {
  await refused("tab_not_found", add({ tab: "NOPE", action: { type: "block" } }));
});

describe("web sockets", () => {
  const block = (url: string, more: object = {}) =>
    add({ url, resource_types: ["websocket"], action: { type: "block" }, ...more });
  const socketTo = (path: string) => `${site.origin.replace("http", "ws")}${path}`;
  const attempt = (address: string) =>
    `new Promise((done) => { const socket = new WebSocket('${address}'); socket.onopen = () => { socket.close(); done('open'); }; socket.onerror = () => done('error'); })`;
  const open = (path = "/ws", tab = home) => page.evaluate(attempt(socketTo(path)), { tab });
  const inWorker = (kind: "Worker" | "SharedWorker", path = "/ws") => {
    const answer = kind === "Worker" ? "postMessage" : "port.postMessage";
    const begin = `${attempt(socketTo(path))}.then((told) => ${answer}(told))`;
    const script = kind === "Worker" ? begin : `onconnect = ({ ports: [port] }) => ${begin}`;
    const port = kind === "Worker" ? "worker" : "worker.port";
    return page.evaluate(
      `new Promise((done) => { const worker = new ${kind}(URL.createObjectURL(new Blob([${JSON.stringify(script)}]))); ${port}.onmessage = ({ data }) => done(data); })`,
      { tab: home },
    );
  };
  beforeEach(async () => {
    await page.navigate(`${site.origin}/`, { tab: home });
  });

  test.each<[string, string]>([
    ["*", "error"],
    ["ws://*", "error"],
    ["*/ws", "error"],
    ["*/w*", "error"],
    ["*://localhost:*/*", "error"],
    ["*localhost*", "error"],
    ["*/w*", "error"],
    ["ws://localhost:*/ws", "error"],
    ["wss://*", "open"],
    ["*/other", "open"],
    ["*://elsewhere.test/*", "open"],
    ["*elsewhere*", "open"],
  ])("blocked by %s: %s, in documents and workers; requests pass", async (url, told) => {
    await block(url);
    expect(await open()).toBe(told);
    expect(await inWorker("Worker")).toBe(told);
    expect(await get("/data.json")).toEqual(DATA);
  });

  test("after a change of site, in frames and shared workers, in new tabs; of one tab only there; gone with the rule", async () => {
    const { id } = await block("*");
    await page.navigate(`${site.other}/`, { tab: home });
    expect(await open()).toBe("error");
    expect(await inWorker("SharedWorker")).toBe("error");
    const frame = `new Promise((done) => { onmessage = ({ data }) => done(data); const frame = document.createElement('iframe');
      frame.srcdoc = \`<script>${attempt(socketTo("/ws")).replaceAll("'", '"')}.then((told) => parent.postMessage(told, '*'))</script>\`; document.body.append(frame); })`;
    expect(await page.evaluate(frame, { tab: home })).toBe("error");
    await guest.overlay.removeRules(v.parse(RemoveRules, { ids: [id] }));
    expect([await open(), await inWorker("Worker")]).toEqual(["open", "open"]);
    const { tab: other } = await guest.openTab(v.parse(OpenTab, { url: `${site.origin}/` }));
    await block("*", { tab: other });
    expect([await open(), await open("/ws", other)]).toEqual(["open", "error"]);
    await guest.closeTab({ tab: other, timeout_ms: 10_000 });
  });

  test("an exception before it; what is emulated of the network stays, in any order", async () => {
    await block("*");
    await add({ url: "*/ws", resource_types: ["websocket"], action: { type: "allow" }, first: true });
    expect([await open("/ws"), await open("/ws?x")]).toEqual(["open", "error"]);
    const emulate = (network: object) => guest.overlay.emulate(v.parse(Emulate, network));
    await emulate({ offline: true });
    expect([await get("/data.json"), await open("/ws?x")]).toEqual(["failed", "error"]);
    await guest.overlay.removeRules(v.parse(RemoveRules, {}));
    expect(await get("/data.json")).toBe("failed");
    await block("*");
    expect(await get("/data.json")).toBe("failed");
    await emulate({ offline: false });
    expect([await get("/data.json"), await open()]).toEqual([DATA, "error"]);
  });

  test.each<[string, object]>([
    ["other types besides", { resource_types: ["websocket", "image"] }],
    ["a mock", { action: { type: "mock" } }],
    ["methods", { methods: ["GET"] }],
    ["one character of any kind", { url: "*/w?" }],
    ["another scheme", { url: "http://a/" }],
  ])("refused: %s", async (_name, rule) => {
    await refused("invalid_request", block("*", rule));
  });
});
