import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chromium, type Page } from "playwright-core";
import { at, type LiveWorld, pixel, settles, startLiveWorld, takeControl } from "./world.ts";

setDefaultTimeout(60_000);

const HOSTILE = `<img src=x onerror="document.title='owned'">\u202e`;
const PAGES = {
  "/green": "<!doctype html><title>Green</title><body style='margin:0;background:#00a000'>",
  "/wheel": "<!doctype html><title>Wheel</title><div style='height:5000px'>tall</div>",
  "/hostile": `<!doctype html><title>${HOSTILE.replaceAll("<", "&lt;")}</title><body><script>history.pushState({},"","/hostile?<img/src=x>")</script>`,
  "/acts": `<!doctype html><title>Acts</title><style>body{margin:0}button,input,div{position:absolute;left:20px;width:200px;height:40px;margin:0}</style>
<button style="top:20px" oncontextmenu="event.preventDefault();document.title='menu'" onclick="document.title='clicked '+event.detail" ondblclick="document.title='double'">Press</button>
<input id=in style="top:80px">
<div id=drag style="top:140px;background:silver" onmousedown="path=[]" onmousemove="window.path&&event.buttons&&path.push(event.clientX)" onmouseup="document.title='dragged '+(path.length>0)">drag</div>
<button id=ask style="top:200px" onclick="document.title='answer '+prompt('Your name?','nobody')">Ask</button>
<div id=finger style="top:260px;background:gold" ontouchstart="document.title='touched '+event.touches.length">finger</div>
<script>window.keys=[];addEventListener('keydown',e=>keys.push((e.ctrlKey?'C-':'')+e.key));addEventListener('beforecopy',()=>{})</script>`,
  "/pickers": `<!doctype html><title>Pickers</title><style>body{margin:0}select,input,iframe{position:absolute;left:20px;width:200px;height:40px;margin:0;border:0}</style>
<select id=list style="top:20px"><option>One</option><optgroup label="Great"><option>Two</option><option disabled>Three</option><option>${HOSTILE.replaceAll("<", "&lt;")}</option></optgroup></select>
<input id=colour type=color style="top:80px"><input id=day type=date value=2026-01-31 min=2026-01-02 style="top:140px">
<iframe style="top:200px" srcdoc="<body style='margin:0'><select style='width:200px;height:40px'><option>Inner<option>Outer</select><script>document.querySelector('select').onchange=e=>parent.said.push(e.target.value)</script>"></iframe>
<script>said=[];addEventListener('input',e=>said.push('input '+e.target.value));addEventListener('change',e=>said.push('change '+e.target.value))</script>`,
};

let world: LiveWorld;
beforeAll(async () => {
  world = await startLiveWorld(PAGES);
});
afterEach(async () => {
  for (const context of world.person.contexts()) await context.close();
  world.server.engine.returnControl("demo");
});
afterAll(() => world?.[Symbol.asyncDispose]());

const title = () => world.browsing.value("document.title");

describe("watching", () => {
  test("the picture arrives, follows the page, and the address and tab with it; the token leaves the address", async () => {
    await world.browsing.open("/green");
    const page = await world.watch({ view_only: true });
    await settles(() => pixel(page, 100, 100), "#00a000");
    expect(new URL(page.url()).hash).toBe("");
    await page.getByRole("button", { name: "Tab: Green" }).waitFor();
    expect(await page.getByLabel("Address of the page").inputValue()).toBe(`${world.browsing.site.origin}/green`);
    await world.browsing.open("/colours");
    await settles(() => pixel(page, 20, 20), "#ff0000");
    await page.reload();
    await page.locator('body[data-state="live"]').waitFor();
  });

  test("nothing a hostile page says is more than text", async () => {
    const page = await world.watch();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await world.browsing.open("/hostile");
    await page.getByRole("button", { name: /^Tab: <img/ }).waitFor();
    expect(await page.locator("#tabs").innerHTML()).not.toContain("<img");
    expect(await page.title()).toBe("demo · live view");
    expect(await page.locator("img").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("a link for watching shows no way to act, and none works", async () => {
    await world.browsing.open("/acts");
    const page = await world.watch({ view_only: true });
    await page.getByText("View only").waitFor();
    expect(await page.getByRole("button", { name: "Take control" }).count()).toBe(0);
    await page.mouse.click(...(await at(page, 100, 40)));
    await page.keyboard.type("x");
    // A second page that acts proves that time has passed for the first.
    const other = await world.watch();
    await takeControl(other);
    await other.mouse.click(...(await at(other, 100, 100)));
    await other.keyboard.type("y");
    await settles(() => world.browsing.value("document.querySelector('input').value"), "y");
    expect(await title()).toBe("Acts");
    await page.getByText("Another watcher has control · 2 watching").waitFor();
  });

  test("revoking the link ends the page with the reason; a VM that is stopped is waited for", async () => {
    const page = await world.watch();
    const [made] = (await world.client.live.links("demo")).items.filter(({ watchers }) => watchers > 0);
    await world.client.live.revokeLink(made!.id);
    await page.locator('body[data-state="over"]').waitFor();
    expect(await page.locator("#state-text").textContent()).toBe("The link was revoked.");
    expect(await page.locator("canvas").isVisible()).toBe(false);
    expect(await page.locator("#tabs li").count()).toBe(0);
    await page.reload();
    await page.getByText("The link was revoked.").waitFor();

    const other = await world.watch();
    const vm = world.server.engine.get("demo");
    vm.status = "stopped";
    world.server.engine.gone.get("demo")?.abort(new Error("demo is being stopped"));
    await other.getByText("demo is stopped. Waiting until it runs…").waitFor();
    vm.status = "running";
    world.server.engine.gone.set("demo", new AbortController());
    await other.locator('body[data-state="live"]').waitFor();
  });

  test("without a link the page says how to come by one", async () => {
    const page = await world.person.newPage();
    await page.goto(`${world.server.url}/live/demo`);
    await page.getByText("“hype live demo” makes one").waitFor();
    await page.context().close();
  });

  test("a hidden window gets no pictures, and one that comes back does", async () => {
    await world.browsing.open("/green");
    const page = await world.watch();
    await settles(() => pixel(page, 100, 100), "#00a000");
    const setHidden = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await setHidden(true);
    const witness = await world.watch();
    await world.browsing.open("/colours");
    await settles(() => pixel(witness, 20, 20), "#ff0000");
    expect(await pixel(page, 100, 100)).toBe("#00a000");
    await setHidden(false);
    await settles(() => pixel(page, 20, 20), "#ff0000");
  });
});

describe("acting", () => {
  let page: Page;
  const begin = async (window = {}) => {
    await world.browsing.open("/acts");
    page = await world.watch({ label: "anna" }, window);
    await takeControl(page);
  };

  test("clicks, double clicks, the other button and a drag", async () => {
    await begin();
    await page.mouse.click(...(await at(page, 100, 40)));
    await settles(title, "clicked 1");
    await page.mouse.dblclick(...(await at(page, 100, 40)));
    await settles(title, "double");
    await page.mouse.click(...(await at(page, 100, 40)), { button: "right" });
    await settles(title, "menu");
    await page.mouse.move(...(await at(page, 40, 160)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 150, 160)), { steps: 5 });
    await page.mouse.up();
    await settles(title, "dragged true");
  });

  test("the wheel scrolls", async () => {
    await begin();
    await world.browsing.open("/wheel");
    await page.mouse.move(...(await at(page, 300, 300)));
    await page.mouse.wheel(0, 400);
    await settles(() => world.browsing.value("scrollY > 100"), true);
  });

  test("keys, shortcuts, composed text and the clipboard both ways", async () => {
    await begin();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const typed = () => world.browsing.value("document.querySelector('input').value");
    await page.mouse.click(...(await at(page, 100, 100)));
    await page.keyboard.type("Hey you");
    await page.keyboard.press("Backspace");
    await settles(typed, "Hey yo");
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Control+x");
    await settles(typed, "");
    await settles(() => page.evaluate(() => navigator.clipboard.readText()), "Hey yo");
    await page.keyboard.insertText("あ"); // an input method
    await settles(typed, "あ");
    await page.evaluate(() => navigator.clipboard.writeText(" pasted €"));
    await page.keyboard.press("Control+v");
    await settles(typed, "あ pasted €");
    expect(await world.browsing.value("keys.includes('C-a')")).toBe(true);
  });

  test("where the browser gives no clipboard, what was copied is shown", async () => {
    await begin();
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.mouse.click(...(await at(page, 100, 100)));
    await page.keyboard.type("take me");
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Control+c");
    await page.locator("#copied").waitFor();
    expect(await page.locator("#copied-text").inputValue()).toBe("take me");
    await page.locator("#copied").getByRole("button", { name: "Close" }).click();
    await page.locator("#copied").waitFor({ state: "hidden" });
  });

  test("an address that is no page is refused in words, and the page stays", async () => {
    await begin();
    const address = page.getByLabel("Address of the page");
    for (const [typed, words] of [
      ["javascript:document.title='ran'", "a script is no page"],
      [" JavaScript:document.title='ran'", "a script is no page"],
      ["file:///etc/passwd", "files of the guest are not opened"],
      ["file:/etc/passwd", "files of the guest are not opened"],
      ["view-source:file:///etc/passwd", "files of the guest are not opened"],
      ["view-source:javascript:document.title='ran'", "a script is no page"],
    ] as const) {
      await address.fill(typed);
      await address.press("Enter");
      await page.locator("#toast.shown", { hasText: `${typed.trim()}: ${words}` }).waitFor();
    }
    expect(await title()).toBe("Acts");
    await address.fill(`${world.browsing.site.origin}/green`);
    await address.press("Enter");
    await settles(title, "Green");
  });

  test("address, history, tabs and dialogs", async () => {
    await begin();
    const address = page.getByLabel("Address of the page");
    await address.fill(`${world.browsing.site.origin.replace("http://", "")}/green`);
    await address.press("Enter");
    await settles(title, "Green");
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await settles(title, "Acts");
    await page.mouse.click(...(await at(page, 100, 220)));
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("Your name?").waitFor();
    await dialog.getByLabel("Answer").fill("Ada");
    await dialog.getByRole("button", { name: "OK" }).click();
    await settles(title, "answer Ada");
    await dialog.waitFor({ state: "hidden" });

    await page.getByRole("button", { name: "Open a tab" }).click();
    await settles(() => page.locator("#tabs li").count(), 2);
    await page.getByRole("button", { name: "Tab: answer Ada" }).click();
    await page.locator("li.watched", { hasText: "answer Ada" }).waitFor();
    await page.locator("li:not(.watched) .close").click();
    await settles(() => page.locator("#tabs li").count(), 1);
  });

  test("lists, colours and days, which no picture shows, are picked from what lies over it", async () => {
    await world.browsing.open("/pickers");
    const page = await world.watch();
    await takeControl(page);
    const list = page.getByLabel("Options");
    const said = () => world.browsing.value("said.splice(0).join()");
    const closed = () => world.browsing.value("document.querySelector(':open') === null");

    await page.mouse.click(...(await at(page, 100, 40)));
    await list.waitFor();
    expect(await list.locator("option").allTextContents()).toEqual(["One", "Two", "Three", HOSTILE]);
    expect(await list.locator("optgroup").getAttribute("label")).toBe("Great");
    expect(await list.locator("option", { hasText: "Three" }).isDisabled()).toBe(true);
    await list.locator("option", { hasText: "Two" }).click();
    await settles(said, "input Two,change Two");
    await settles(closed, true);
    expect(await list.isVisible()).toBe(false);

    await page.mouse.click(...(await at(page, 100, 40)));
    await list.waitFor();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await settles(said, "input One,change One");

    // Neither Escape nor a click elsewhere picks anything.
    await page.mouse.click(...(await at(page, 100, 40)));
    await list.waitFor();
    await page.keyboard.press("Escape");
    await settles(closed, true);
    await page.mouse.click(...(await at(page, 100, 40)));
    await list.waitFor();
    await page.mouse.click(...(await at(page, 600, 500)));
    await settles(closed, true);
    expect(await list.isVisible()).toBe(false);
    expect(await said()).toBe("");

    await page.mouse.click(...(await at(page, 100, 220)));
    await list.locator("option", { hasText: "Outer" }).click();
    await settles(said, "Outer");

    await page.mouse.click(...(await at(page, 100, 100)));
    await page.getByLabel("Value").fill("#ff8800");
    await page.getByRole("button", { name: "OK" }).click();
    await settles(said, "input #ff8800,change #ff8800");
    await page.mouse.click(...(await at(page, 210, 160))); // the calendar at the field's end
    await page.getByLabel("Value").waitFor();
    expect(await page.getByLabel("Value").getAttribute("min")).toBe("2026-01-02");
    await page.getByLabel("Value").fill("2026-02-03");
    await page.keyboard.press("Enter");
    await settles(said, "input 2026-02-03,change 2026-02-03");
    await settles(closed, true);
  });

  test("the page is laid out in the size of the window, and as before when control is given back", async () => {
    await begin({ viewport: { width: 700, height: 600 } });
    const width = () => world.browsing.value("innerWidth");
    const before = await width();
    await page.getByRole("button", { name: "Match my window" }).click();
    await settles(width, 700);
    await page.getByRole("button", { name: "Give back" }).click();
    await page.locator("body:not(.mine)").waitFor();
    await settles(width, before);
  });

  test("fingers on a phone", async () => {
    await begin({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await page.touchscreen.tap(...(await at(page, 100, 280)));
    await settles(title, "touched 1");
    await page.getByRole("button", { name: "Show the keyboard" }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("keys");
  });

  test("F6 leaves the picture, so that nobody is caught in it", async () => {
    await begin();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("keys");
    await page.keyboard.press("F6");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("take");
  });

  test("control goes from one person to the other, and what the first holds down is let go", async () => {
    await begin();
    await page.mouse.move(...(await at(page, 40, 160)));
    await page.mouse.down();
    const other = await world.watch({ label: "bob" });
    await other.getByText("anna has control").waitFor();
    await other.getByRole("button", { name: "Take over" }).click();
    await other.getByRole("button", { name: "Really take over?" }).click();
    await other.locator("body.mine").waitFor();
    await page.getByText("bob has control").waitFor();
    await settles(title, "dragged false");
  });

  test("Playwright at the CDP door goes on while a person takes control and gives it back", async () => {
    await begin();
    const { ws_url } = await world.client.vms.cdpToken("demo");
    const automation = await chromium.connectOverCDP(ws_url);
    const theirs = automation.contexts()[0]!.pages()[0]!;
    expect(await theirs.title()).toBe("Acts");
    await page.mouse.click(...(await at(page, 100, 40)));
    await theirs.waitForFunction(() => document.title === "clicked 1");
    await theirs.fill("#in", "automation");
    const returned = world.client.live.control("demo", { wait: "returned" });
    await page.getByRole("button", { name: "Give back" }).click();
    expect(await returned).toEqual({ control: null });
    expect(await theirs.inputValue("#in")).toBe("automation");
    await automation.close();
  });
});
