import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chromium, type CDPSession } from "playwright-core";
import * as v from "valibot";
import { Revisit } from "../../src/contract/index.ts";
import { isRenderer, processesOf } from "../lib/chromium.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

/** Renderers that die, under our orders and under those of another client on the same tab. */
setDefaultTimeout(40_000);
let b: Browsing;
beforeAll(async () => {
  b = await startBrowsing();
}, 60_000);
afterAll(() => b[Symbol.asyncDispose]());
afterEach(async () => {
  expect((await b.guest.health()).chromium.restarts).toBe(0);
});

const revisit = (tab: string) => v.parse(Revisit, { tab, timeout_ms: 10_000 });
const end = (tab: string) => b.guest.closeTab({ tab, timeout_ms: 10_000 });
const kill = (tab: string) => refused("navigation_failed", b.open("chrome://crash", { tab }));
const died = (cdp: CDPSession) => new Promise<void>((resolve) => cdp.once("Inspector.targetCrashed", () => resolve()));

/** All of them at once, behind Chromium's back: it learns of it a moment later. */
async function killRenderers(): Promise<void> {
  const { pid } = (await b.guest.health()).chromium;
  for (const renderer of processesOf(pid!).filter(isRenderer)) process.kill(renderer, "SIGKILL");
}

/** Playwright on the same browser, and a tab with two pages behind it that both hold. */
async function shared() {
  const { tab } = await b.openTab({ url: `${b.site.origin}/form` });
  await b.open("/acts", { tab });
  const headers = { authorization: `Bearer ${b.agent.token}` };
  const theirs = await chromium.connectOverCDP(b.agent.endpoint, { headers });
  const context = theirs.contexts()[0]!;
  const page = context.pages().find((one) => one.url().endsWith("/acts"))!;
  const dispose = async () => {
    await theirs.close();
    await end(tab);
  };
  return { tab, page, cdp: await context.newCDPSession(page), [Symbol.asyncDispose]: dispose };
}

test("whichever order comes next gives the tab a renderer, and does what it says", async () => {
  await using at = await shared();
  const { tab } = at;
  await kill(tab);
  expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
  await b.act("click", { selector: "#count", tab });
  await kill(tab);
  expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Form", status: 200 });
  await kill(tab);
  expect(await b.guest.forward(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
  await kill(tab);
  await refused("tab_crashed", b.snapshot({ tab }));
  await refused("history_end", b.guest.forward(revisit(tab)));
  expect(await b.open("/things", { tab })).toMatchObject({ title: "Things", status: 200 });
  // Nothing but what was opened stands in its history.
  expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Acts" });
});

test.each(["navigate", "reload", "back", "open another"])(
  "%s, sent before anybody knows of the death",
  async (order) => {
    await using at = await shared();
    const { tab, cdp } = at;
    const dead = died(cdp);
    await killRenderers();
    if (order === "navigate") expect(await b.open("/things", { tab })).toMatchObject({ title: "Things", status: 200 });
    if (order === "reload") expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Acts", status: 200 });
    if (order === "back") expect(await b.guest.back(revisit(tab))).toMatchObject({ title: "Form", status: 200 });
    if (order === "open another") {
      const opened = await b.openTab({ url: `${b.site.origin}/things` });
      expect(opened.navigated).toMatchObject({ title: "Things", status: 200 });
      await end(opened.tab);
    }
    await dead;
    expect(await b.open("/", { tab })).toMatchObject({ title: "Home", status: 200 });
    expect(await b.value("document.title", { tab })).toBe("Home");
  },
);

test("a tab that died before we ever looked at it: that is said at once, and it can be had back", async () => {
  await using at = await shared();
  const context = at.page.context();
  const page = await context.newPage();
  await page.goto(`${b.site.origin}/things`);
  const cdp = await context.newCDPSession(page);
  const tab = (await cdp.send("Target.getTargetInfo")).targetInfo.targetId;
  const dead = died(cdp);
  await killRenderers();
  await dead;
  await refused("tab_crashed", b.value("1", { tab }));
  expect(await b.guest.reload(revisit(tab))).toMatchObject({ title: "Things", status: 200 });
  await end(tab);
});

test("frames, dialogs and waiting are in the next renderer as they were", async () => {
  const { tab } = await b.openTab({ url: `${b.site.origin}/frames` });
  const before = await b.snapshot({ tab });
  const waiting = refused("tab_crashed", b.wait({ selector: "#never", tab }));
  const idle = refused("tab_crashed", b.value("new Promise(() => {})", { tab }));
  await kill(tab);
  await Promise.all([waiting, idle]);
  expect(await b.open("/frames", { tab })).toMatchObject({ status: 200 });
  const bare = (yaml: string) => yaml.replaceAll(/ref=\w+/g, "ref");
  expect(bare(await b.snapshot({ tab }))).toBe(bare(before));
  // Nobody holds dialogs back: Chromium answers them by itself.
  expect(await b.value("confirm('again?')", { tab })).toBe(false);
  await b.wait({ network_idle: true, tab });
  await end(tab);
});
