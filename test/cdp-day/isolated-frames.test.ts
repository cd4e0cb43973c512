import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { Day } from "./day.ts";

setDefaultTimeout(60_000);

/** With every site in a process of its own: frames of other sites have DevTools sessions of their own. */
let day: Day;
beforeAll(async () => {
  day = await Day.begin(["--site-per-process"]);
}, 90_000);
afterAll(() => day?.[Symbol.asyncDispose]());

test("Playwright in a frame out of its page's process", async () => {
  const browser = await chromium.connectOverCDP(day.urls.ws_url);
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${day.site.origin}/frames`);
  const { targetInfos } = await (
    await browser.newBrowserCDPSession()
  ).send("Target.getTargets", {
    filter: [{ type: "iframe" }],
  });
  expect(targetInfos).toHaveLength(1);
  const button = page.frameLocator("iframe[name=cross]").getByRole("button");
  await button.click();
  expect(await button.textContent()).toBe("pressed on localhost");
  expect(await page.frame("cross")!.evaluate("location.hostname")).toBe("localhost");
  await browser.close();
});

test("Puppeteer in one", async () => {
  const browser = await puppeteer.connect({ browserWSEndpoint: day.urls.ws_url });
  const page = await browser.newPage();
  await page.goto(`${day.site.origin}/frames`);
  const frame = await (await page.waitForSelector("iframe[name=cross]"))!.contentFrame();
  const button = await frame.waitForSelector("button");
  await button!.click();
  expect(await button!.evaluate((node) => node.textContent)).toBe("pressed on localhost");
  await page.close();
  await browser.disconnect();
});
