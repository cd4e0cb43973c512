import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import * as v from "valibot";
import { Revisit } from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

/** Renderers that die while another client is attached to the tab as well: ours are orders among others'. */
setDefaultTimeout(40_000);
let b: Browsing;
let theirs: Browser;
beforeAll(async () => {
  b = await startBrowsing();
  const headers = { authorization: `Bearer ${b.agent.token}` };
  theirs = await chromium.connectOverCDP(b.agent.endpoint, { headers });
}, 60_000);
afterAll(async () => {
  await theirs.close();
  await b[Symbol.asyncDispose]();
});
afterEach(async () => {
  expect((await b.guest.health()).chromium.restarts).toBe(0);
});

const revisit = (tab: string) => v.parse(Revisit, { tab, timeout_ms: 10_000 });
const session = (page: Page) => page.context().newCDPSession(page);
async function idOf(page: Page): Promise<string> {
  return (await (await session(page)).send("Target.getTargetInfo")).targetInfo.targetId;
}
/** Not by Playwright: it waits for the word of the page it closes, and a dead one has none. */
const end = async (tab: string) => void (await b.guest.closeTab({ tab, timeout_ms: 10_000 }));
/** A tab with two pages behind it, held by both, that ends with the block. */
async function shared() {
  const page = await theirs.contexts()[0]!.newPage();
  const tab = await idOf(page);
  await b.open("/form", { tab });
  await b.open("/acts", { tab });
  return { page, tab, [Symbol.asyncDispose]: () => end(tab) };
}
/** The renderer is dead, and both know. */
async function kill({ page, tab }: { page: Page; tab: string }): Promise<void> {
  const theyKnow = page.waitForEvent("crash");
  await refused("navigation_failed", b.open("chrome://crash", { tab }));
  await theyKnow;
}

test("whichever order comes next gives the tab a renderer, and does what it says", async () => {
  await using at = await shared();
  const { tab } = at;
  await kill(at);
  expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
  await b.act("click", { selector: "#count", tab });
  await kill(at);
  expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Form", status: 200 });
  await kill(at);
  expect(await b.guest.forward(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
  await kill(at);
  await refused("tab_crashed", b.snapshot({ tab }));
  await refused("history_end", b.guest.forward(revisit(tab)));
  expect(await b.open("/things", { tab })).toMatchObject({ title: "Things", status: 200 });
  // Nothing but what was opened stands in its history.
  expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Acts" });
});

test("orders sent while it dies, before anybody was told, arrive as well", async () => {
  for (const order of ["navigate", "reload", "back", "elsewhere"] as const) {
    await using at = await shared();
    const { tab, page } = at;
    const theyKnow = page.waitForEvent("crash");
    const cdp = await session(page);
    cdp.send("Page.crash").catch(() => {}); // the dead do not answer
    if (order === "navigate") expect(await b.open("/things", { tab })).toMatchObject({ title: "Things", status: 200 });
    if (order === "reload") expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
    if (order === "back") expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Form", status: 200 });
    if (order === "elsewhere") {
      const opened = await b.openTab({ url: `${b.site.origin}/things` });
      expect(opened.navigated).toMatchObject({ title: "Things", status: 200 });
      await b.guest.closeTab({ tab: opened.tab, timeout_ms: 10_000 });
    }
    await theyKnow;
    expect(await b.open("/", { tab })).toMatchObject({ title: "Home", status: 200 });
    expect(await b.value("document.title", { tab })).toBe("Home");
  }
});

test("a tab that died before we ever looked at it: that is said at once, and it can be had back", async () => {
  const page = await theirs.contexts()[0]!.newPage();
  await page.goto(`${b.site.origin}/things`);
  const tab = await idOf(page);
  const died = page.waitForEvent("crash");
  page.goto("chrome://crash").catch(() => {}); // its own client is told of the crash
  await died;
  await refused("tab_crashed", b.value("1", { tab }));
  expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Things", status: 200 });
  await end(tab);
});

test("dialogs, frames and waiting are as before in the tab's next renderer", async () => {
  await using at = await shared();
  const { tab } = at;
  await b.open("/frames", { tab });
  const before = await b.snapshot({ tab });
  const waiting = refused("tab_crashed", b.wait({ selector: "#never", tab }));
  await b.value("setTimeout(() => alert('stay'), 0), 0", { tab });
  await kill(at);
  await waiting;
  expect(await b.open("/frames", { tab })).toMatchObject({ status: 200 });
  expect((await b.snapshot({ tab })).replace(/ref=\w+/g, "ref")).toBe(before.replace(/ref=\w+/g, "ref"));
  at.page.once("dialog", (dialog) => void dialog.accept());
  expect(await b.value("confirm('again?')", { tab })).toBe(true);
  await b.wait({ network_idle: true, tab });
});

test("a page that kills its renderer whenever it comes is given up, and said to", async () => {
  await using at = await shared();
  const { tab, page } = at;
  await page.route("**/deadly", (route) => route.fulfill({ contentType: "text/html", body: "<title>deadly" }));
  page.on("framenavigated", async (frame) => {
    if (frame.url().endsWith("/deadly")) await (await session(page)).send("Page.crash").catch(() => {});
  });
  const thrown = await b.open("/deadly", { tab, wait_until: "networkidle" }).catch((reason: unknown) => reason);
  expect(["tab_crashed", "navigation_failed"]).toContain((thrown as { code: string }).code);
  page.removeAllListeners("framenavigated");
  expect(await b.open("/", { tab })).toMatchObject({ title: "Home" });
});
