import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import puppeteer, { type Browser, type BrowserContext, type HTTPRequest, type Page } from "puppeteer-core";
import { connect } from "../../src/client/client.ts";
import { KEY } from "../server/harness.ts";
import { Day } from "./day.ts";

setDefaultTimeout(60_000);
let day: Day;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  day = await Day.begin();
  browser = await puppeteer.connect({ browserURL: day.urls.http_url });
  context = await browser.createBrowserContext();
  page = await context.newPage();
}, 90_000);
afterAll(async () => {
  await browser?.disconnect();
  await day?.[Symbol.asyncDispose]();
});
const open = (path: string, on = page) => on.goto(day.site.origin + path);

test("contexts keep their cookies apart, and many pages live at once", async () => {
  const other = await browser.createBrowserContext();
  await context.setCookie({ name: "mine", value: "1", domain: "127.0.0.1" });
  expect([(await context.cookies()).length, (await other.cookies()).length]).toEqual([1, 0]);
  const pages = await Promise.all(Array.from({ length: 5 }, () => other.newPage()));
  await Promise.all(pages.map((one) => open("/", one)));
  await Promise.all(pages.map((one) => one.click("button")));
  expect(await Promise.all(pages.map((one) => one.title()))).toEqual(pages.map(() => "clicked"));
  await other.close();
});

test("frames of the same site and of another, and workers", async () => {
  await open("/frames");
  for (const [name, host] of [
    ["same", "127.0.0.1"],
    ["cross", "localhost"],
  ]) {
    const element = await page.waitForSelector(`iframe[name=${name}]`);
    const button = await (await element!.contentFrame()).waitForSelector("button");
    await button!.click();
    expect(await button!.evaluate((node) => node.textContent)).toBe(`pressed on ${host}`);
  }
  const [worker] = await Promise.all([
    new Promise<{ evaluate(code: string): Promise<unknown> }>((done) => page.once("workercreated", done)),
    open("/workers"),
  ]);
  await page.waitForFunction("document.title === 'from a worker'");
  expect(await worker.evaluate("self.answer")).toBe(42);
});

test("requests are answered by the client, and the rest goes on", async () => {
  await page.setRequestInterception(true);
  const answer = (request: HTTPRequest) =>
    request.url().endsWith("/data") ? request.respond({ body: "from the client" }) : request.continue();
  page.on("request", answer);
  await open("/api");
  await page.waitForFunction("document.title === 'from the client'");
  page.off("request", answer);
  await page.setRequestInterception(false);
  await open("/api");
  await page.waitForFunction("document.title === 'from the server'");
});

test("pictures, PDF and a trace", async () => {
  await page.tracing.start({ screenshots: true });
  await open("/");
  await page.click("button");
  expect(JSON.parse(Buffer.from((await page.tracing.stop())!).toString()).traceEvents.length).toBeGreaterThan(10);
  expect(
    Buffer.from(await page.screenshot())
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
  expect(
    Buffer.from(await page.pdf())
      .subarray(0, 4)
      .toString(),
  ).toBe("%PDF");
});

test("a file goes up from this machine by hype, into the page that Puppeteer drives; what the page gives is fetched by hype", async () => {
  const { browser: ours } = connect({ base: day.server.url, key: KEY });
  const own = await browser.newPage();
  await open("/files?both", own);
  await ours.upload("demo", "notes.txt", new Blob(["written here"]));
  const { items } = await ours.tabs("demo");
  const tab = items.find(({ url }) => url.endsWith("?both"))!.id;
  await ours.operate("demo", "upload", { tab, selector: "#files", files: ["notes.txt"] });
  await own.waitForFunction("document.title === 'notes.txt: written here'");
  const waited = ours.operate("demo", "wait", { tab, download: true, timeout_ms: 20_000 });
  await own.click("a");
  const { download } = await waited;
  expect(download).toMatchObject({ name: "report.txt", state: "completed" });
  const { bytes } = await ours.download("demo", download!.id);
  expect(Buffer.concat(await Array.fromAsync(bytes)).toString()).toBe("the report");
  await own.close();
});

test("a restart of the server is gone on after: the page is as it was", async () => {
  const first = await puppeteer.connect({ browserURL: day.urls.http_url });
  const stays = await first.newPage();
  await open("/?stays", stays);
  await stays.evaluate("window.typed = 'half a form'");
  const cut = new Promise((done) => first.once("disconnected", done));
  await day.restartServer();
  await cut;
  const second = await puppeteer.connect({ browserURL: day.urls.http_url });
  const again = (await second.pages()).find((one) => one.url().endsWith("?stays"))!;
  expect(await again.evaluate("window.typed")).toBe("half a form");
  await again.click("button");
  expect(await again.title()).toBe("clicked");
  await again.close();
  await second.disconnect();
});
