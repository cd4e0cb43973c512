import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type Browser, chromium, type Page } from "playwright-core";
import puppeteer from "puppeteer-core";
import type { Client, JsonOperation, OperationInput } from "../../src/client/types.ts";
import type { Entry } from "../../src/contract/index.ts";
import { refIn } from "../lib/browsing.ts";

/** A browser's VM, the server that leads to it, and the fixture site as that browser sees it. */
export type Place = AsyncDisposable & { client: Client; vm: string; site: { origin: string; other: string } };

/** The usual day on the fixture site: the same wherever the browser runs, by our operations, by Playwright and by Puppeteer. */
export function describeVisits(where: string, make: () => Promise<Place>, options: { makeMs: number }): void {
  describe(`the fixture site, ${where}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await make();
    }, options.makeMs);
    afterAll(() => place?.[Symbol.asyncDispose](), options.makeMs);

    describe("by operations", () => byOperations(() => place));
    describe("by Playwright", () => byPlaywright(() => place));
    describe("by Puppeteer", () => byPuppeteer(() => place));
  });
}

/** Bytes that are not text, and more of them than a message holds. */
const FILE = new Uint8Array(1_500_000).map((_, n) => (n * n) % 251);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function byOperations(place: () => Place): void {
  const post = <N extends JsonOperation>(operation: N, body: OperationInput<N>) =>
    place().client.browser.operate(place().vm, operation, body);
  const open = (path: string, more: object = {}) =>
    place().client.browser.navigate(place().vm, { url: place().site.origin + path, timeout_ms: 30_000, ...more });
  const value = async (expression: string) =>
    (await place().client.browser.evaluate(place().vm, { expression, timeout_ms: 30_000 })).value;
  const wait = (body: object) => post("wait", { timeout_ms: 30_000, ...body });
  const titled = (title: string) => wait({ function: `document.title === ${JSON.stringify(title)}` });
  const look = async () => (await post("snapshot", {})).yaml;

  beforeEach(async () => {
    await post("stop-observing", {});
    await open("/");
  });

  /** Entries after the newest there was when it is called, until each wish was met. */
  const watch = async () => {
    const { after } = await post("list-entries", { after: Number.MAX_SAFE_INTEGER });
    await post("start-observing", {});
    return async (...wanted: ((entry: Entry) => boolean)[]): Promise<Entry[]> => {
      const entries: Entry[] = [];
      for (let from = after; ;) {
        const page = await post("list-entries", { after: from });
        entries.push(...page.items);
        if (wanted.every((wish) => entries.some(wish))) return entries;
        from = page.after;
      }
    };
  };
  const finished = (path: string) => (entry: Entry) =>
    entry.kind === "request" && entry.state === "finished" && new URL(entry.url).pathname === path;

  test("a form is read, filled by refs and sent", async () => {
    await open("/form");
    const tree = await look();
    await post("fill", { ref: refIn(tree, 'textbox "Name"'), text: "Ada" });
    await post("check", { ref: refIn(tree, 'checkbox "I agree"') });
    await post("check", { ref: refIn(tree, 'radio "Small"') });
    await post("select", { ref: refIn(tree, 'combobox "Colour"'), values: ["Red"] });
    await post("click", { ref: refIn(tree, 'button "Send"') });
    expect(await value("document.getElementById('out').textContent")).toMatch(
      /^sent name=Ada&mail=a%40b\.c&notes=&ok=on&size=s&colour=r&/,
    );
  });

  test("frames, one of another site and one inside another", async () => {
    await open("/frames");
    const tree = await look();
    expect(tree.match(/button "Press me"/g)).toHaveLength(2);
    for (const nth of [0, 1]) await post("click", { ref: refIn(tree, 'button "Press me"', nth) });
    for (const nth of [0, 1]) await post("click", { ref: refIn(tree, 'button "Deepest"', nth) });
    const after = await look();
    expect(after.match(/button "pressed true"/g)).toHaveLength(2);
    expect(after.match(/button "deep"/g)).toHaveLength(2);
  });

  test("what a component keeps in its shadow, and a canvas by coordinates", async () => {
    await open("/things");
    await post("click", { ref: refIn(await look(), 'button "Inside shadow"') });
    expect(await value("document.title")).toBe("shadow");
    await open("/acts");
    const { x, y } = (await value("canvas.getBoundingClientRect().toJSON()")) as { x: number; y: number };
    await post("click", { x: x + 30, y: y + 20 });
    expect(await value("pts.filter((point) => !point.startsWith('move'))")).toEqual(["down30,20", "up30,20"]);
  });

  test("files in and out again, equal to the byte", async () => {
    const { client, vm } = place();
    await client.browser.upload(vm, "photo ä.bin", FILE);
    await open("/files");
    await post("upload", { selector: "#one", files: ["photo ä.bin"] });
    const { items: before } = await post("list-downloads", {});
    await post("click", { selector: "#back" });
    const { download } = await wait({ download: { name: "photo ä.bin" } });
    expect(before.map(({ id }) => id)).not.toContain(download!.id);
    expect(download).toMatchObject({ state: "completed", received_bytes: FILE.length, sha256: sha256(FILE) });
    expect(sha256(Buffer.concat(await Array.fromAsync((await client.browser.download(vm, download!.id)).bytes)))).toBe(
      sha256(FILE),
    );
    await post("delete-download", { id: download!.id });
    await post("delete-upload", { name: "photo ä.bin" });
  });

  test("dialogs are answered as the policy says, and seen", async () => {
    const seen = await watch();
    await post("set-dialog-policy", { policy: "accept" });
    await open("/dialogs");
    await post("click", { selector: "#confirm" });
    await titled("confirmed true");
    await post("set-dialog-policy", { policy: "dismiss" });
    await post("click", { selector: "#confirm" });
    await titled("confirmed false");
    const dialogs = (await seen((entry) => entry.kind === "dialog")).filter((entry) => entry.kind === "dialog");
    expect(dialogs[0]).toMatchObject({ type: "confirm", message: "sure?" });
    await post("set-dialog-policy", { policy: null });
  });

  test("a page that a service worker answers, and what the worker asks for itself", async () => {
    const seen = await watch();
    await open("/worker");
    await titled("bread of flour");
    const entries = await seen(finished("/made"), finished("/flour"));
    expect(entries.findLast(finished("/made"))).toMatchObject({ from_service_worker: true, status: 200 });
    expect(entries.findLast(finished("/flour"))).toMatchObject({ from_service_worker: false, status: 200 });
    await value(
      "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))).then(() => 0)",
    );
  });

  test("a WebSocket's messages", async () => {
    const seen = await watch();
    await open("/socket");
    await titled("echo hello");
    const entries = await seen((entry) => entry.kind === "websocket" && entry.event === "close");
    expect(entries.flatMap((entry) => (entry.kind === "websocket" ? [[entry.event, entry.text]] : []))).toEqual([
      ["open", null],
      ["sent", "hello"],
      ["received", "echo hello"],
      ["close", null],
    ]);
  });

  test("an IndexedDB goes out, is gone, and comes back", async () => {
    await open("/notes");
    await titled("notes: none");
    await value("keep(1, 'milk'), keep(2, 'tea'), 0");
    await titled("notes: milk, tea");
    const state = await post("export-state", {});
    await post("clear-state", {});
    await open("/notes");
    await titled("notes: none");
    await open("/");
    await post("import-state", { state });
    await open("/notes");
    await titled("notes: milk, tea");
    await post("clear-state", {});
  });

  test("an endless list is scrolled until what is wanted has come", async () => {
    await open("/endless");
    const rows = () => value("document.querySelectorAll('p').length") as Promise<number>;
    expect(await rows()).toBe(20);
    while (!(await value("document.body.textContent.includes('row 130')"))) {
      const before = await rows();
      await post("scroll", { selector: "p:last-child" });
      await post("scroll", { dy: 400 });
      await wait({ function: `document.querySelectorAll('p').length > ${before}` });
    }
    expect(await rows()).toBe(140);
  });

  test("slow, endless and broken answers are told apart, and the tab goes on", async () => {
    expect(await open("/slow?ms=300")).toMatchObject({ status: 200, title: "Slow" });
    expect(await open("/hop?n=3")).toMatchObject({ status: 200, title: "Home" });
    expect((await open("/nowhere")).status).toBe(404);
    await expect(open("/loop")).rejects.toThrow(/TOO_MANY_REDIRECTS/);
    await expect(open("/drop")).rejects.toThrow(/ERR_/);
    await expect(open("/hang", { timeout_ms: 1_000 })).rejects.toThrow(/1000 ms/);
    await expect(place().client.browser.navigate(place().vm, { url: "http://127.0.0.1:9/" })).rejects.toThrow(/ERR_/);
    expect(await open("/")).toMatchObject({ status: 200, title: "Home" });
  });
}

const door = async ({ client, vm }: Place) => (await client.vms.cdpToken(vm)).ws_url;

const VISITS = [
  ["/worker", "bread of flour"],
  ["/socket", "echo hello"],
  ["/notes", "notes: none"],
] as const;

function byPlaywright(place: () => Place): void {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await chromium.connectOverCDP(await door(place()));
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(60_000);
  }, 120_000);
  afterAll(async () => {
    await page?.context().close();
    await browser?.close();
  }, 120_000);
  const open = (path: string) => page.goto(place().site.origin + path);

  test("a form, frames, a shadow and a canvas", async () => {
    await open("/form");
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("I agree").check();
    await page.getByLabel("Colour").selectOption("Red");
    await page.getByRole("button", { name: "Send" }).click();
    expect(await page.locator("#out").textContent()).toMatch(/^sent name=Ada&.*colour=r/);
    await open("/frames");
    const other = page.frameLocator("iframe[title=Other]");
    await other.getByRole("button", { name: "Press me" }).click();
    expect(await other.getByRole("button").first().textContent()).toBe("pressed true");
    await open("/things");
    await page.getByRole("button", { name: "Inside shadow" }).click();
    expect(await page.title()).toBe("shadow");
    await open("/acts");
    await page.locator("#canvas").click({ position: { x: 30, y: 20 } });
    expect(await page.evaluate("pts.filter((point) => !point.startsWith('move'))")).toEqual(["down30,20", "up30,20"]);
  });

  test("workers, sockets, databases, an endless list", async () => {
    for (const [path, title] of VISITS) {
      await open(path);
      await page.waitForFunction((wanted) => document.title === wanted, title);
    }
    await page.evaluate("keep(1, 'milk'), 0");
    await page.waitForFunction("document.title === 'notes: milk'");
    await open("/endless");
    for (const row = page.getByText("row 30", { exact: true }); (await row.count()) === 0;)
      await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
  });

  test("dialogs, files into a page, a broken answer", async () => {
    await open("/dialogs");
    page.once("dialog", (dialog) => void dialog.accept());
    await page.click("#confirm");
    await page.waitForFunction("document.title === 'confirmed true'");
    await open("/files");
    await page.setInputFiles("#one", { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("from Playwright") });
    expect(await page.evaluate("textOf()")).toBe("from Playwright");
    await expect(open("/drop")).rejects.toThrow(/ERR_/);
    await page.waitForURL("chrome-error://chromewebdata/"); // Playwright counts it as a navigation of its own
    expect((await open("/"))!.status()).toBe(200);
  });
}

function byPuppeteer(place: () => Place): void {
  const withPage = async (
    run: (page: import("puppeteer-core").Page, open: (path: string) => Promise<unknown>) => Promise<void>,
  ) => {
    const browser = await puppeteer.connect({ browserWSEndpoint: await door(place()) });
    try {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await run(page, (path) => page.goto(place().site.origin + path));
      await context.close();
    } finally {
      await browser.disconnect();
    }
  };

  test("a form, a frame of another site, a dialog", () =>
    withPage(async (page, open) => {
      await open("/form");
      await page.type("input[name=name]", "Ada");
      await page.select("select[name=colour]", "r");
      await page.click("button");
      expect(await page.$eval("#out", (out) => out.textContent)).toMatch(/^sent name=Ada&.*colour=r/);
      await open("/frames");
      const frame = await page.waitForFrame((one) => one.url().startsWith(place().site.other));
      await (await frame.waitForSelector("button"))!.click();
      expect(await frame.$eval("button", (button) => button.textContent)).toBe("pressed true");
      await open("/dialogs");
      page.once("dialog", (dialog) => void dialog.accept());
      await page.click("#confirm");
      await page.waitForFunction("document.title === 'confirmed true'");
    }));

  test("workers, sockets, databases", () =>
    withPage(async (page, open) => {
      for (const [path, title] of VISITS) {
        await open(path);
        await page.waitForFunction((wanted) => document.title === wanted, {}, title);
      }
      await page.evaluate("keep(1, 'tea'), 0");
      await page.waitForFunction("document.title === 'notes: tea'");
    }));
}
