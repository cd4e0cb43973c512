import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import * as v from "valibot";
import { connect } from "../../src/client/client.ts";
import {
  ClearState,
  type Entry,
  ExportHar,
  ExportState,
  ImportState,
  ListEntries,
  StartObserving,
  StopObserving,
} from "../../src/contract/index.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram } from "../lib/chromium.ts";
import { harFaults } from "../lib/har-schema.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer } from "../server/harness.ts";
import { serveSite } from "../site/serve.ts";

setDefaultTimeout(60_000);
let b: Browsing;
let since: number;
beforeAll(async () => {
  b = await startBrowsing();
}, 90_000);
afterAll(() => b?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await b.open("/");
  await b.guest.observe.stop(v.parse(StopObserving, {}));
  since = (await b.guest.observe.list(v.parse(ListEntries, { after: Number.MAX_SAFE_INTEGER }))).after;
});

const observe = () => b.guest.observe.start(v.parse(StartObserving, {}));
const titled = (title: string) => b.wait({ function: `document.title === ${JSON.stringify(title)}` });
/** Entries from now on, until each wish was met. */
async function seen(...wanted: ((entry: Entry) => boolean)[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of b.guest.observe.entries({ after: since }, AbortSignal.timeout(20_000))) {
    if (entry.seq > since) entries.push(entry);
    if (wanted.every((wish) => entries.some(wish))) return entries;
  }
  throw new Error(`it never came; seen: ${JSON.stringify(entries)}`);
}
const finished = (path: string) => (entry: Entry) =>
  entry.kind === "request" && entry.state === "finished" && new URL(entry.url).pathname === path;

describe("what is seen of a site", () => {
  test("a page that a service worker answers, and what the worker asks for itself", async () => {
    await observe();
    await b.open("/worker");
    await titled("bread of flour");
    const entries = await seen(finished("/made"), finished("/flour"));
    expect(entries.findLast(finished("/made"))).toMatchObject({ from_service_worker: true, status: 200 });
    expect(entries.findLast(finished("/flour"))).toMatchObject({ from_service_worker: false, status: 200 });
    await b.value(
      "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))).then(() => 0)",
    );
  });

  test("a WebSocket's messages", async () => {
    await observe();
    await b.open("/socket");
    await titled("echo hello");
    const entries = await seen((entry) => entry.kind === "websocket" && entry.event === "close");
    expect(entries.flatMap((entry) => (entry.kind === "websocket" ? [[entry.event, entry.text]] : []))).toEqual([
      ["open", null],
      ["sent", "hello"],
      ["received", "echo hello"],
      ["close", null],
    ]);
  });

  test("an IndexedDB goes out, is gone, and comes back", async () => {
    await b.open("/notes");
    await titled("notes: none");
    await b.value("keep(1, 'milk'), keep(2, 'tea'), 0");
    await titled("notes: milk, tea");
    const state = await b.guest.state.export(v.parse(ExportState, {}));
    await b.guest.state.clear(v.parse(ClearState, {}));
    await b.open("/notes");
    await titled("notes: none");
    await b.open("/");
    await b.guest.state.import(v.parse(ImportState, { state }));
    await b.open("/notes");
    await titled("notes: milk, tea");
    await b.guest.state.clear(v.parse(ClearState, {}));
  });

  test("an endless list is scrolled until what is wanted has come", async () => {
    await b.open("/endless");
    const rows = () => b.value("document.querySelectorAll('p').length") as Promise<number>;
    expect(await rows()).toBe(20);
    while (!(await b.value("document.body.textContent.includes('row 130')"))) {
      const before = await rows();
      await b.act("scroll", { selector: "p:last-child" });
      await b.act("scroll", { dy: 400 });
      await b.wait({ function: `document.querySelectorAll('p').length > ${before}` });
    }
    expect(await rows()).toBe(140);
  });
});

test("Playwright replays a site that is gone from the archive, bodies included", async () => {
  const page = `<!doctype html><title>Shop</title><script>
    const all = [fetch("/flour").then((r) => r.text()), fetch("/price?of=tea").then((r) => r.text()), fetch("/dot").then((r) => r.arrayBuffer()).then((a) => new Uint8Array(a).length)];
    Promise.all(all).then((said) => document.title = said.join(" "))</script>`;
  const site = serveSite({ "/shop": page, "/price": "three & a half — ü" });
  using _ = site;
  using here = temporaryDirectory();
  await observe();
  await b.open(`${site.origin}/shop`);
  await b.wait({ function: "document.title !== 'Shop'" });
  const title = (await b.value("document.title")) as string;
  expect(title).toStartWith("flour three & a half — ü ");
  await seen(finished("/shop"), finished("/flour"), finished("/price"), finished("/dot"));
  const har = await b.guest.observe.har(v.parse(ExportHar, { bodies: true }));
  expect(await harFaults(har)).toEqual([]);
  await Bun.write(here.join("site.har"), JSON.stringify(har));
  site[Symbol.dispose]();
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: chromiumProgram(), args: sandbox });
  try {
    const context = await browser.newContext({ offline: true });
    await context.routeFromHAR(here.join("site.har"), { notFound: "abort" });
    const tab = await context.newPage();
    await tab.goto(`${site.origin}/shop`);
    await tab.waitForFunction((wanted) => document.title === wanted, title);
    expect(await tab.evaluate("fetch('/never-asked').then(() => 'came', () => 'refused')")).toBe("refused");
  } finally {
    await browser.close();
  }
});

describe("through the server's doors", () => {
  const door = async () => {
    const server = startTestServer();
    server.engine.add("demo");
    server.engine.guests.set("demo", b.guest);
    return { server, url: (await connect({ base: server.url, key: KEY }).vms.cdpToken("demo")).ws_url };
  };
  const VISITS = [
    ["/worker", "bread of flour"],
    ["/socket", "echo hello"],
    ["/notes", "notes: none"],
  ] as const;

  test("Playwright: workers, sockets, databases, an endless list", async () => {
    const { server, url } = await door();
    await using _ = server;
    const browser = await chromium.connectOverCDP(url);
    try {
      const context = await browser.newContext();
      const tab = await context.newPage();
      for (const [path, title] of VISITS) {
        await tab.goto(b.site.origin + path);
        await tab.waitForFunction((wanted) => document.title === wanted, title);
      }
      await tab.evaluate("keep(1, 'milk'), 0");
      await tab.waitForFunction("document.title === 'notes: milk'");
      await tab.goto(`${b.site.origin}/endless`);
      for (const row = tab.getByText("row 30", { exact: true }); (await row.count()) === 0;)
        await tab.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
      await context.close();
    } finally {
      await browser.close();
    }
  });

  test("Puppeteer: the same", async () => {
    const { server, url } = await door();
    await using _ = server;
    const browser = await puppeteer.connect({ browserWSEndpoint: url });
    try {
      const context = await browser.createBrowserContext();
      const tab = await context.newPage();
      for (const [path, title] of VISITS) {
        await tab.goto(b.site.origin + path);
        await tab.waitForFunction((wanted) => document.title === wanted, {}, title);
      }
      await tab.evaluate("keep(1, 'tea'), 0");
      await tab.waitForFunction("document.title === 'notes: tea'");
      await context.close();
    } finally {
      await browser.disconnect();
    }
  });
});
