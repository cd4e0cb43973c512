import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { Day } from "./day.ts";

setDefaultTimeout(90_000);
let day: Day;
beforeAll(async () => {
  day = await Day.begin();
}, 90_000);
afterAll(() => day?.[Symbol.asyncDispose]());

async function withPlaywright(mark: string): Promise<string> {
  const browser = await chromium.connectOverCDP(day.urls.ws_url);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${day.site.origin}/?${mark}`);
  await page.getByRole("button").click();
  const seen = `${await page.title()} ${new URL(page.url()).search}`;
  await context.close();
  await browser.close();
  return seen;
}

async function withPuppeteer(mark: string): Promise<string> {
  const browser = await puppeteer.connect({ browserWSEndpoint: day.urls.ws_url });
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`${day.site.origin}/?${mark}`);
  await page.click("button");
  const seen = `${await page.title()} ${new URL(page.url()).search}`;
  await context.close();
  await browser.disconnect();
  return seen;
}

test("20 clients at once, each in a context of its own", async () => {
  const clients = Array.from({ length: 20 }, (_, n) => (n % 2 ? withPlaywright : withPuppeteer)(String(n)));
  expect(await Promise.all(clients)).toEqual(clients.map((_, n) => `clicked ?${n}`));
});

test("a restart of the server cuts the connection, says why, and loses nothing of the browser", async () => {
  const first = await chromium.connectOverCDP(day.urls.http_url);
  const page = await first.contexts()[0]!.newPage();
  await page.goto(`${day.site.origin}/?stays`);
  await page.evaluate("window.typed = 'half a form'");
  const cut = new Promise((done) => first.once("disconnected", done));
  await day.restartServer();
  await cut;

  const second = await chromium.connectOverCDP(day.urls.http_url);
  const again = second
    .contexts()[0]!
    .pages()
    .find((one) => one.url().endsWith("?stays"))!;
  expect(await again.evaluate("window.typed")).toBe("half a form");
  await again.getByRole("button").click();
  expect(await again.title()).toBe("clicked");
  await second.close();
});
