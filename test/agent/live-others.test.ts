import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { colourOf, isNear, type Watcher, watchLive } from "../lib/live-watcher.ts";

const page = (title: string, body: string) => `<!doctype html><title>${title}</title><body style="margin:0">${body}`;
const PAGES = {
  "/still": page("still", `<script>document.body.style.background = "rgb(0,128,0)"</script>`),
  "/live-form": page(
    "form",
    `<button style="position:absolute;left:10px;top:110px;width:200px;height:60px">go</button><script>
      window.seen = [];
      addEventListener("keyup", (e) => seen.push("keyup," + e.key));
    </script>`,
  ),
};
const GREEN = [0, 128, 0];

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

describe("dialogs", () => {
  test("are left alone by those who only watch", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    await watcher.picture();
    expect(await browsing.value("confirm('really?')")).toBe(false); // as Chromium does by itself
    expect(watcher.messages.some(({ type }) => type === "dialog")).toBe(false);
  });

  test("are shown to who acts, answered by them, and let go on release", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    watcher.say({ type: "mouse", action: "move", x: 5, y: 5 });
    watcher.say({ type: "copy" });
    await watcher.message("clipboard");
    const answer = browsing.value("prompt('name?', 'Bob')");
    const { dialog } = await watcher.message("dialog", ({ dialog }) => dialog !== null);
    expect(dialog).toEqual({ kind: "prompt", message: "name?", value: "Bob" });
    // Input that waits behind the dialog does not keep its answer back.
    click(watcher, 50, 50);
    watcher.say({ type: "dialog", accept: true, prompt_text: "Eve" });
    expect(await answer).toBe("Eve");
    await watcher.message("dialog", ({ dialog }) => dialog === null);
    const second = browsing.value("confirm('again?')");
    await watcher.message("dialog", ({ dialog }) => dialog?.message === "again?");
    watcher.say({ type: "release" });
    expect(await second).toBe(false);
    watcher.say({ type: "dialog", accept: true });
    await watcher.message("error", ({ code }) => code === "dialog_not_found");
  });
});

describe("others", () => {
  test("Playwright goes on clicking while a watcher acts, comes and goes", async () => {
    const playwright = await chromium.connectOverCDP(browsing.agent.endpoint, {
      headers: { authorization: `Bearer ${browsing.agent.token}` },
    });
    try {
      const tab = await playwright.contexts()[0]!.newPage();
      await tab.goto(`${browsing.site.origin}/live-form`);
      const id = (
        await tab
          .context()
          .newCDPSession(tab)
          .then((session) => session.send("Target.getTargetInfo"))
      ).targetInfo.targetId;
      await tab.evaluate(`window.clicks = 0; document.querySelector("button").onclick = () => { clicks++ }`);
      let rounds = 0;
      const watching = (async () => {
        for (; rounds < 3; rounds++) {
          using watcher = await watchLive(browsing.agent);
          watcher.say({ type: "watch", tab: id });
          await watcher.picture();
          watcher.say({ type: "mouse", action: "move", x: 700, y: 500 });
          watcher.say({ type: "key", action: "down", key: "x", code: "KeyX", text: "x" });
          watcher.say({ type: "copy" });
          await watcher.message("clipboard");
        }
      })();
      let clicks = 0;
      while (clicks < 30 || rounds < 3) {
        await tab.click("button");
        clicks++;
      }
      await watching;
      expect(await tab.evaluate("clicks")).toBe(clicks);
      // What was held is let go with the connection.
      await tab.waitForFunction("seen.filter((event) => event.startsWith('keyup,x')).length === 3");
      const dialog = tab.waitForEvent("dialog");
      using watcher = await watchLive(browsing.agent);
      watcher.say({ type: "watch", tab: id });
      await watcher.picture();
      const asked = tab.evaluate("confirm('Playwright?')");
      await (await dialog).accept();
      expect(await asked).toBe(true);
      await tab.close();
    } finally {
      await playwright.close();
    }
  });

  test("what cannot be understood or done is told, and the connection goes on", async () => {
    await browsing.open("/still");
    using watcher = await watchLive(browsing.agent);
    watcher.sayRaw("{");
    await watcher.message("error", ({ code }) => code === "invalid_request");
    watcher.sayRaw(new Uint8Array([1, 2, 3]));
    await watcher.message("error", ({ code }) => code === "invalid_request", 1);
    watcher.say({ type: "mouse", action: "fly", x: 0, y: 0 });
    await watcher.message("error", ({ message }) => message.includes("action"));
    watcher.say({ type: "watch", tab: "NONE" });
    await watcher.message("error", ({ code }) => code === "tab_not_found");
    watcher.say({ type: "tabs", action: "close", tab: "NONE" });
    await watcher.message("error", ({ message }) => message.includes("NONE"));
    watcher.say({ type: "watch" });
    await watcher.picture(colourIs(GREEN));
  });

  test("without the token there is no live view", async () => {
    const { endpoint } = browsing.agent;
    expect(watchLive({ endpoint, token: "wrong" })).rejects.toThrow();
  });

  test("a new Chromium is watched like the one that died", async () => {
    using watcher = await watchLive(browsing.agent);
    watcher.say({ type: "watch" });
    await watcher.picture();
    const before = watcher.messages.length;
    const { pid } = (await browsing.guest.health()).chromium;
    process.kill(pid!, "SIGKILL");
    await watcher.message("tabs", ({ watched }) => watched === null, before);
    const at = watcher.pictures.length;
    await watcher.message("tabs", ({ watched }) => watched !== null, watcher.messages.length);
    await watcher.picture(() => true, at);
  });
});
