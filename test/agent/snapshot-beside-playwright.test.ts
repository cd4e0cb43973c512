import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { ARIA_PAGES } from "../site/aria-pages.ts";

setDefaultTimeout(30_000);
let b: Browsing;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  const pages = Object.entries(ARIA_PAGES).map(([name, body]) => [
    `/aria/${name}`,
    `<!doctype html><meta charset=utf-8>${body}`,
  ]);
  b = await startBrowsing(Object.fromEntries(pages));
  browser = await chromium.connectOverCDP(b.agent.endpoint, { headers: { authorization: `Bearer ${b.agent.token}` } });
  page = browser.contexts()[0]!.pages()[0]!;
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await b?.[Symbol.asyncDispose]();
});

/** Lines that name something, without what differs by design: refs, cursors, and what hangs below them. */
const named = (yaml: string): string[] =>
  yaml
    .split("\n")
    .map(
      (line) =>
        /^\s*- '?([a-z]+ "(?:[^"\\]|\\.)*"(?: \[[a-z=0-9]+\])*)/.exec(
          line.replaceAll(/ \[(ref|cursor)=\w+\]/g, ""),
        )?.[1],
    )
    .filter((line) => line !== undefined && !line.startsWith("generic "))
    .map((line) => line!);

/**
 * What models that were trained on Playwright's snapshots look for is there, with the same names and states and in the same order. We say
 * more: frames, headings, links and groups that Playwright leaves without a name have theirs.
 */
test.each([
  ...Object.keys(ARIA_PAGES).map((name) => `/aria/${name}`),
  "/form",
  "/things",
  "/acts",
  "/article",
  "/dialogs",
  "/opens",
])("%s", async (path) => {
  await page.goto(b.site.origin + path);
  const theirs = named(await page.ariaSnapshot({ mode: "ai" }));
  const ours = named(await b.snapshot());
  let at = 0;
  const missing = theirs.filter((line) => {
    const found = ours.indexOf(line, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
  expect(missing).toEqual([]);
  expect(theirs.length).toBeGreaterThan(0);
});
