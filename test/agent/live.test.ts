import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { drive } from "../lib/drive.ts";
import { colourOf, isNear, type Watcher, watchLive } from "../lib/live-watcher.ts";

const page = (title: string, body: string) => `<!doctype html><title>${title}</title><body style="margin:0">${body}`;
const MOVING = `<script>let n = 0; (function draw() {
  document.body.style.background = "hsl(" + (++n % 360) + " 80% 50%)"; requestAnimationFrame(draw) })()</script>`;
const FORM = `
  <input id=field autofocus style="position:absolute;left:10px;top:10px;width:300px;height:40px">
  <input id=secret type=password style="position:absolute;left:10px;top:60px;width:300px;height:40px">
  <button style="position:absolute;left:10px;top:110px;width:200px;height:60px"
    onclick="document.body.style.background = 'rgb(255,0,0)'">go</button>
  <script>
    window.seen = [];
    for (const type of ["keydown", "keyup"]) addEventListener(type, (e) => seen.push([type, e.key, e.code, e.keyCode, e.location, e.repeat].join()));
    for (const type of ["mousedown", "mouseup", "wheel"]) addEventListener(type, (e) => seen.push([type, e.button, e.deltaY].join()), { passive: true });
    for (const type of ["touchstart", "touchend", "touchcancel"]) addEventListener(type, (e) => seen.push([type, e.touches.length].join()));
  </script>`;
const PAGES = {
  "/still": page("still", `<script>document.body.style.background = "rgb(0,128,0)"</script>`),
  "/moving": page("moving", MOVING),
  "/live-form": page("form", FORM),
  "/outer": page("outer", `<iframe src="/live-form" style="width:600px;height:300px;border:0"></iframe>`),
  "/cursors": page(
    "cursors",
    `<a href=/still style="display:block;height:50px">link</a><input style="display:block;height:50px;width:200px">
     <div style="height:50px;cursor:url(/nowhere.png),crosshair">own</div><div id=shadow></div>
     <script>getComputedStyle = () => ({ cursor: "wait" });
     document.querySelector("#shadow").attachShadow({ mode: "open" }).innerHTML = "<p style='height:50px;margin:0;cursor:move'>in</p>"</script>`,
  ),
  "/endless": page("endless", `<script>onclick = () => { for (;;); }</script>`),
  "/opener": page("opener", `<button style="width:200px;height:60px" onclick="window.open('/still')">open</button>`),
};
const GREEN = [0, 128, 0];
const RED = [255, 0, 0];

setDefaultTimeout(60_000);
let browsing: Browsing;
beforeAll(async () => {
  browsing = await startBrowsing(PAGES);
});
afterAll(() => browsing[Symbol.asyncDispose]());

const click = (watcher: Watcher, x: number, y: number) => {
  const at = { type: "mouse", x, y, button: "left", click_count: 1 } as const;
  watcher.say({ ...at, action: "down", buttons: 1 });
  watcher.say({ ...at, action: "up" });
};
const colourIs = (wanted: number[]) => async (shown: { jpeg: Uint8Array }) =>
  isNear(await colourOf(shown.jpeg), wanted);
const seen = async (): Promise<string[]> => (await browsing.value("seen")) as string[];

describe("watching", () => {
  test("a page that stands still is shown at once, with its size and its tab", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    const tabs = await watcher.message("tabs", ({ watched }) => watched !== null);
    const { head, jpeg } = await watcher.picture();
    expect(head).toMatchObject({ frame: 1, tab: tabs.watched, format: "jpeg", width: 1280, height: 720 });
    expect(isNear(await colourOf(jpeg), GREEN)).toBe(true);
    expect(tabs.items.find(({ id }) => id === tabs.watched)).toMatchObject({ title: "still", active: true });
  });

  test("no more pictures than are acknowledged, and the next one is the newest", async () => {
    await browsing.open("/moving");
    using watcher = await watchLive(browsing.agent);
    watcher.acknowledges = false;
    watcher.say({ type: "watch" });
    const { head } = await watcher.picture();
    // The page moves on; by the answer to a later command every picture sent before it would be here.
    await browsing.value("new Promise((done) => setTimeout(done, 400))");
    await browsing.open("/still");
    watcher.say({ type: "copy" });
    await watcher.message("clipboard");
    expect(watcher.pictures).toHaveLength(1);
    watcher.say({ type: "ack", frame: head.frame });
    const next = await watcher.picture(() => true, 1);
    expect(isNear(await colourOf(next.jpeg), GREEN)).toBe(true);
  });

  test("the picture a slow watcher ends with is that of the page as it stands", async () => {
    await browsing.open("/moving");
    using watcher = await watchLive(browsing.agent);
    watcher.acknowledges = false;
    watcher.say({ type: "watch" });
    await watcher.picture();
    await browsing.value("new Promise((done) => setTimeout(done, 300))");
    // Chromium sends no more, as nobody takes them, and what now is drawn is lost.
    await browsing.value(
      `requestAnimationFrame = () => {}; new Promise((done) => setTimeout(() => { document.body.style.background = "rgb(0,128,0)"; done() }, 50))`,
    );
    watcher.acknowledges = true;
    watcher.say({ type: "ack", frame: 1 });
    await watcher.picture(colourIs(GREEN), 1);
  });

  test("several watchers at once, one of a tab that is not in front, and none after a pause", async () => {
    await browsing.open("/still");
    const { tab: behind } = await browsing.openTab({ url: `${browsing.site.origin}/moving`, background: true });
    using first = await watchLive(browsing.agent);
    using second = await watchLive(browsing.agent);
    first.say({ type: "watch", max_width: 640, max_height: 480 });
    second.say({ type: "watch", tab: behind });
    await first.picture(colourIs(GREEN));
    for (let count = 1; count <= 5; count++)
      expect((await second.picture(() => second.pictures.length >= count)).head.tab).toBe(behind);
    second.say({ type: "pause" });
    second.say({ type: "copy" });
    await second.message("clipboard");
    const count = second.pictures.length;
    await browsing.value("new Promise((done) => setTimeout(done, 300))", { tab: behind });
    expect(second.pictures.length).toBe(count);
    second.say({ type: "watch", tab: behind });
    await second.picture(() => true, count);
    await drive(browsing.guest).post("tabs/close", { tab: behind });
    // Back to the one in use.
    await second.message("tabs", ({ watched }) => watched !== null && watched !== behind, second.messages.length);
    await second.picture(colourIs(GREEN), count);
  });

  test("follows the tab in use and the windows it opens; titles and closings are told", async () => {
    await browsing.open("/opener");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    const first = (await watcher.message("tabs", ({ watched }) => watched !== null)).watched!;
    click(watcher, 50, 30);
    const popup = await watcher.message("tabs", ({ watched }) => watched !== null && watched !== first);
    await watcher.picture(colourIs(GREEN));
    watcher.say({ type: "tabs", action: "close" });
    await watcher.message("tabs", ({ watched, items }) => watched === first && items.length === popup.items.length - 1);
    const { tab } = await browsing.openTab({ url: `${browsing.site.origin}/moving` });
    await watcher.message(
      "tabs",
      ({ watched, items }) => watched === tab && items.some(({ title }) => title === "moving"),
    );
    watcher.say({ type: "tabs", action: "activate", tab: first });
    await watcher.message("tabs", ({ watched }) => watched === first, watcher.messages.length);
    watcher.say({ type: "tabs", action: "close", tab });
    await watcher.message("tabs", ({ items }) => !items.some(({ id }) => id === tab), watcher.messages.length);
  });
});

describe("acting", () => {
  test("mouse, keys, text, wheel and fingers reach the page in order", async () => {
    await browsing.open("/live-form");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    await watcher.picture();
    click(watcher, 100, 30);
    const key = (action: "down" | "up", key: string, code: string, more = {}) =>
      watcher.say({ type: "key", action, key, code, ...more });
    key("down", "Shift", "ShiftRight", { modifiers: 8 });
    key("down", "A", "KeyA", { text: "A", modifiers: 8 });
    key("down", "A", "KeyA", { text: "A", modifiers: 8 });
    key("up", "A", "KeyA", { modifiers: 8 });
    key("up", "Shift", "ShiftRight");
    watcher.say({ type: "text", text: "ö日本🎉" });
    key("down", "1", "Numpad1", { text: "1" });
    key("up", "1", "Numpad1");
    watcher.say({ type: "mouse", action: "wheel", x: 500, y: 500, delta_y: 40 });
    watcher.say({ type: "touch", action: "start", points: [{ x: 600, y: 600, id: 1 }] });
    watcher.say({ type: "touch", action: "end", points: [] });
    click(watcher, 100, 140);
    await watcher.picture(colourIs(RED));
    expect(await browsing.value("field.value")).toBe("AAö日本🎉1");
    const events = await seen();
    expect(events).toContain("keydown,Shift,ShiftRight,16,2,false");
    expect(events.filter((event) => event.startsWith("keydown,A"))).toEqual([
      "keydown,A,KeyA,65,0,false",
      "keydown,A,KeyA,65,0,true",
    ]);
    expect(events).toContain("keydown,1,Numpad1,97,3,false");
    expect(events.filter((event) => /^(wheel|touch)/.test(event))).toEqual([
      "wheel,0,40",
      "touchstart,1",
      "touchend,0",
    ]);
  });

  test("the cursor's shape is told when it changes, whatever the page makes of the question", async () => {
    await browsing.open("/cursors");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    await watcher.picture();
    const over = async (y: number, cursor: string, since: number) => {
      watcher.say({ type: "mouse", action: "move", x: 20, y });
      await watcher.message("cursor", (message) => message.cursor === cursor, since);
    };
    const shapes = ["pointer", "text", "crosshair", "move", "default"];
    for (const [at, shape] of shapes.entries()) await over(25 + at * 50, shape, 0);
    watcher.say({ type: "release" });
    await over(25, "pointer", watcher.messages.length);
  });
  test("copy and cut give the selection of the frame that has the focus, but no password", async () => {
    for (const path of ["/live-form", "/outer"]) {
      await browsing.open(path);
      using watcher = await watchLive(browsing.agent);
      watcher.say({ type: "watch" });
      click(watcher, 100, 30);
      watcher.say({ type: "text", text: "to be copied" });
      const selectAll = { type: "key", key: "a", code: "KeyA", modifiers: 2 } as const;
      watcher.say({ ...selectAll, action: "down" });
      watcher.say({ ...selectAll, action: "up" });
      watcher.say({ type: "copy" });
      expect((await watcher.message("clipboard")).text).toBe("to be copied");
      watcher.say({ type: "copy", cut: true });
      const at = watcher.messages.length;
      expect((await watcher.message("clipboard", () => true, at)).text).toBe("to be copied");
      watcher.say({ type: "copy" });
      expect((await watcher.message("clipboard", () => true, at + 1)).text).toBe("");
      click(watcher, 100, 80);
      watcher.say({ type: "text", text: "secret" });
      watcher.say({ ...selectAll, action: "down" });
      watcher.say({ type: "copy" });
      expect((await watcher.message("clipboard", () => true, at + 2)).text).toBe("");
    }
  });

  test("addresses, history and loading", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    const at = (path: string) => {
      const since = watcher.messages.length;
      return watcher.message(
        "tabs",
        ({ items, watched, loading }) =>
          !loading && items.find(({ id }) => id === watched)?.url === browsing.site.origin + path,
        since,
      );
    };
    await watcher.picture();
    watcher.say({ type: "navigate", url: `${browsing.site.origin}/live-form` });
    await at("/live-form");
    watcher.say({ type: "history", direction: "back" });
    await at("/still");
    watcher.say({ type: "history", direction: "forward" });
    await at("/live-form");
    expect(watcher.messages.some((message) => message.type === "tabs" && message.loading)).toBe(true);
    watcher.say({ type: "history", direction: "forward" });
    await watcher.message("error", ({ code }) => code === "history_end");
    watcher.say({ type: "navigate", url: "file:///etc/passwd" });
    await watcher.message("error", ({ code }) => code === "url_not_allowed");
    watcher.say({ type: "navigate", url: "http://127.0.0.1:1/" });
    await watcher.message("error", ({ code }) => code === "navigation_failed");
  });

  test("a page caught in a loop can be left; a slow one be stopped, and left for another", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    const titled = (title: string) =>
      watcher.message(
        "tabs",
        ({ items, loading }) => !loading && items.some((tab) => tab.title === title),
        watcher.messages.length,
      );
    watcher.say({ type: "watch" });
    await watcher.picture();
    watcher.say({ type: "navigate", url: `${browsing.site.origin}/hang` });
    await watcher.message("tabs", ({ loading }) => loading);
    watcher.say({ type: "history", direction: "stop" });
    await titled("still");
    watcher.say({ type: "navigate", url: `${browsing.site.origin}/hang` });
    watcher.say({ type: "navigate", url: `${browsing.site.origin}/endless` });
    await titled("endless");
    click(watcher, 50, 50);
    watcher.say({ type: "copy" });
    await watcher.message("error", ({ code }) => code === "operation_timeout");
    const since = watcher.messages.length;
    watcher.say({ type: "navigate", url: `${browsing.site.origin}/still` });
    await watcher.message(
      "tabs",
      ({ items, loading }) => !loading && items.some(({ url }) => url.endsWith("/still")),
      since,
    );
    await browsing.wait({ function: "document.title === 'still'" });
    expect(await browsing.value("document.body.style.background")).toBe("rgb(0, 128, 0)");
  });

  test("the viewport is the watcher's while it watches, and what was emulated is back afterwards", async () => {
    await browsing.open("/still");
    const { post } = drive(browsing.guest);
    await post("emulate", { viewport: { width: 700, height: 500 } });
    {
      using watcher = await watchLive(browsing.agent);
      watcher.say({ type: "watch" });
      watcher.say({ type: "resize", size: { width: 400, height: 800 } });
      await watcher.picture(({ head }) => head.width === 400 && head.height === 800);
      expect(await browsing.value("innerWidth")).toBe(400);
      watcher.say({ type: "release" });
      await watcher.picture(({ head }) => head.width === 700);
      watcher.say({ type: "resize", size: { width: 400, height: 800 } });
      await watcher.picture(({ head }) => head.width === 400, watcher.pictures.length);
    }
    await browsing.wait({ function: "innerWidth === 700" });
    await post("reset-emulation", {});
    expect(await browsing.value("innerWidth")).toBe(1280);
  });
});
