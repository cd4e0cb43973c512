import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { httpProxy } from "../lib/proxies.ts";
import { Day } from "./day.ts";

setDefaultTimeout(60_000);
let day: Day;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  day = await Day.begin();
  browser = await chromium.connectOverCDP(day.urls.ws_url);
  context = await browser.newContext();
  page = await context.newPage();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await day?.[Symbol.asyncDispose]();
});
const open = (path: string, on = page) => on.goto(day.site.origin + path);

test("contexts keep their cookies apart, and many pages live at once", async () => {
  const other = await browser.newContext();
  await context.addCookies([{ name: "mine", value: "1", url: day.site.origin }]);
  expect([(await context.cookies()).length, (await other.cookies()).length]).toEqual([1, 0]);
  const pages = await Promise.all(Array.from({ length: 10 }, () => other.newPage()));
  await Promise.all(pages.map((one) => open("/", one)));
  await Promise.all(pages.map((one) => one.getByRole("button", { name: "Go" }).click()));
  expect(await Promise.all(pages.map((one) => one.title()))).toEqual(pages.map(() => "clicked"));
  await other.close();
});

test("frames of the same site and of another", async () => {
  await open("/frames");
  for (const [name, host] of [
    ["same", "127.0.0.1"],
    ["cross", "localhost"],
  ]) {
    const frame = page.frameLocator(`iframe[name=${name}]`);
    await frame.getByRole("button").click();
    expect(await frame.getByRole("button").textContent()).toBe(`pressed on ${host}`);
  }
});

test("workers and service workers", async () => {
  const [worker, service] = await Promise.all([
    page.waitForEvent("worker"),
    context.waitForEvent("serviceworker"),
    open("/workers"),
  ]);
  await page.waitForFunction("document.title === 'from a worker'");
  expect(await worker.evaluate("self.answer")).toBe(42);
  expect(service.url()).toBe(`${day.site.origin}/service-worker.js`);
});

test("a download is told of; files go up from the client's machine", async () => {
  await open("/files");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Report").click()]);
  expect(download.suggestedFilename()).toBe("report.txt");
  await page.setInputFiles("#files", [
    { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("first") },
    { name: "b.txt", mimeType: "text/plain", buffer: Buffer.from("second") },
  ]);
  await page.waitForFunction("document.title === 'a.txt: first, b.txt: second'");
});

test("requests are answered by the client, and the rest goes on", async () => {
  await page.route("**/data", (route) => route.fulfill({ body: "from the client" }));
  await open("/api");
  await page.waitForFunction("document.title === 'from the client'");
  await page.unroute("**/data");
  await open("/api");
  await page.waitForFunction("document.title === 'from the server'");
});

test("a context with a proxy of its own", async () => {
  await using proxy = await httpProxy({ credentials: "ann:s3cr3t", leadsTo: Number(new URL(day.site.origin).port) });
  const [username, password] = ["ann", "s3cr3t"];
  const other = await browser.newContext({ proxy: { server: `http://127.0.0.1:${proxy.port}`, username, password } });
  const elsewhere = await other.newPage();
  await elsewhere.goto("http://nowhere.test/");
  expect(await elsewhere.title()).toBe("Home");
  expect(proxy.passed.at(-1)).toMatchObject({ host: "nowhere.test", by: "ann:s3cr3t" });
  await other.close();
});

test("pictures, PDF and a trace", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hype-day-"));
  try {
    await context.tracing.start({ screenshots: true, snapshots: true });
    await open("/");
    await page.getByRole("button").click();
    const file = join(directory, "trace.zip");
    await context.tracing.stop({ path: file });
    expect(readFileSync(file).toString("latin1")).toContain("trace.trace");
    expect((await page.screenshot({ fullPage: true })).subarray(1, 4).toString()).toBe("PNG");
    expect((await page.pdf()).subarray(0, 4).toString()).toBe("%PDF");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
