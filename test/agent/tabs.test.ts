import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const list = async () => (await b.guest.tabs()).items;
const close = (tab?: string) => b.guest.closeTab({ timeout_ms: 10_000, tab });
beforeEach(async () => {
  for (const { id } of (await list()).slice(1)) await close(id);
  await b.open("/");
});

describe("open", () => {
  test("a page, and it is the one used from then on", async () => {
    const { tab, navigated, context } = await b.openTab({ url: `${b.site.origin}/form` });
    expect([navigated?.title, context]).toEqual(["Form", null]);
    expect((await list()).map(({ title, active }) => [title, active])).toContainValues([["Form", true]]);
    expect((await b.guest.closeTab({ timeout_ms: 10_000 })).tab).toBe(tab);
    expect(await b.value("document.title")).toBe("Home");
  });
  test("in the background: the present one stays in use", async () => {
    const { tab } = await b.openTab({ url: `${b.site.origin}/form`, background: true });
    expect(await b.value("document.title")).toBe("Home");
    expect(await b.value("document.title", { tab })).toBe("Form");
  });
  test("empty", async () => {
    expect((await b.openTab()).navigated).toBeNull();
    expect(await b.value("location.href")).toBe("about:blank");
  });
  test("isolated: cookies of its own, shared by tabs of its context, gone with the last", async () => {
    await b.value("document.cookie = 'who=outside'");
    const { tab, context } = await b.openTab({ url: `${b.site.origin}/`, isolated: true });
    expect(await b.value("document.cookie", { tab })).toBe("");
    await b.value("document.cookie = 'who=inside'", { tab });
    const beside = await b.openTab({ url: `${b.site.origin}/`, context: context! });
    expect(await b.value("document.cookie", { tab: beside.tab })).toBe("who=inside");
    expect((await list()).filter(({ isolated }) => isolated).map(({ context: of }) => of)).toEqual([context, context]);
    await close(tab);
    await close(beside.tab);
    expect(await b.value("document.cookie")).toBe("who=outside");
    await refused("tab_not_found", b.openTab({ context: context! }));
  });
  test("one that cannot be opened leaves no tab behind", async () => {
    const before = (await list()).length;
    await refused("navigation_failed", b.openTab({ url: "http://nowhere.invalid/" }));
    await refused("url_not_allowed", b.openTab({ url: "file:///etc/passwd" }));
    expect(await list()).toHaveLength(before);
    expect(await b.value("document.title")).toBe("Home");
  });
});

test("activate brings a tab to the front and into use", async () => {
  const first = (await list())[0]!.id;
  await b.openTab({ url: `${b.site.origin}/form` });
  expect((await b.guest.activateTab({ tab: first, timeout_ms: 10_000 })).title).toBe("Home");
  expect(await b.value("document.title")).toBe("Home");
  await refused("tab_not_found", b.guest.activateTab({ tab: "NOPE", timeout_ms: 10_000 }));
});

describe("close", () => {
  test("the last tab: an empty one takes its place and the browser lives", async () => {
    await close();
    expect(await list()).toHaveLength(1);
    expect(await b.value("location.href")).toBe("about:blank");
    expect((await b.guest.health()).chromium.restarts).toBe(0);
  });
  test("a page that asks to stay, or never ends a script, goes all the same", async () => {
    for (const script of ["onbeforeunload = (e) => e.preventDefault(); 0", "setTimeout(() => { for (;;); }), 0"]) {
      const { tab } = await b.openTab({ url: `${b.site.origin}/form` });
      await b.value(script, { tab });
      await close(tab);
      expect((await list()).some(({ id }) => id === tab)).toBe(false);
    }
  });
  test("tab_not_found, twice as well", async () => {
    await refused("tab_not_found", close("NOPE"));
    const { tab } = await b.openTab();
    await close(tab);
    await refused("tab_not_found", close(tab));
  });
});

describe("tabs that others open or close", () => {
  test("a link's target=_blank is seen, with its opener", async () => {
    await b.open("/opens");
    const { tab: opener } = await b.act("click", { selector: "text=New tab" });
    const opened = (await list()).find((tab) => tab.opener === opener);
    expect((await b.wait({ url: `${b.site.origin}/`, tab: opened!.id })).tab).toBe(opened!.id);
    await b.wait({ selector: "h1", tab: opened!.id });
    expect(await b.value("document.title", { tab: opened!.id })).toBe("Home");
  });
  test("a page that closes itself: what was asked of it fails, the next goes to another tab", async () => {
    const { tab } = await b.openTab({ url: `${b.site.origin}/opens` });
    await b.value("window.opened = window.open('/opens'), 0", { tab });
    const child = (await list()).find(({ opener }) => opener === tab)!.id;
    await b.wait({ selector: "#close", tab: child });
    const pending = refused("tab_not_found", b.value("new Promise(() => {})", { tab: child }));
    await b.value("0", { tab: child }); // the one before it has reached the page
    await b.value("opened.close()", { tab });
    await pending;
    expect(await b.value("document.title", { tab })).toBe("Opens");
  });
});

test("a tab in the background has the focus for its own: typing goes where it is asked to", async () => {
  const { tab } = await b.openTab({ url: `${b.site.origin}/form`, background: true });
  await b.act("type", { selector: "[name=name]", text: "behind", tab });
  expect(await b.value("[document.querySelector('[name=name]').value, document.hasFocus()]", { tab })).toEqual([
    "behind",
    true,
  ]);
});

test("a page that hangs does not hold up another tab", async () => {
  const first = (await list())[0]!.id;
  const { tab } = await b.openTab({ background: true });
  const hanging = b.open("/hang?tabs", { tab, timeout_ms: 60_000 });
  hanging.catch(() => {}); // looked at below
  await b.site.asked("/hang?tabs");
  await b.open("/form", { tab: first });
  await b.act("check", { selector: "#ok", tab: first });
  expect(await b.snapshot({ tab: first })).toContain('checkbox "I agree" [checked]');
  await b.guest.stop({ tab, timeout_ms: 10_000 });
  expect(await refused("navigation_failed", hanging)).toContain("ERR_ABORTED");
});
