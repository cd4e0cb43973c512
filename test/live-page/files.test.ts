import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type FileChooser, type Page } from "playwright-core";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY } from "../server/harness.ts";
import { at, type LiveWorld, settles, startLiveWorld, takeControl } from "./world.ts";

setDefaultTimeout(60_000);

/** Tells in its title which files it has: names and sizes, and the SHA-256 of the last. */
const TELL = `async function tell(how, list) {
  const files = [...list]; let sum = "";
  if (files.length) { const bytes = await crypto.subtle.digest("SHA-256", await files.at(-1).arrayBuffer());
    sum = " " + [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 8) }
  (parent === window ? document : parent.document).title = how + " " + files.map(({ name, size }) => name + ":" + size).join(",") + sum }
for (const field of document.querySelectorAll("input")) {
  field.onchange = () => tell(field.id, field.files); field.addEventListener("cancel", () => tell(field.id + " cancelled", field.files)) }`;
const STYLE = `<style>body{margin:0}input,div,iframe{position:absolute;left:20px;width:300px;height:40px;margin:0;border:0}</style>`;
const PAGES = {
  "/files": `<!doctype html><title>Files</title>${STYLE}
<input id=one type=file accept="image/*,.txt" style="top:20px"><input id=many type=file multiple style="top:80px">
<div id=zone style="top:140px;background:silver" ondragover="event.preventDefault()" ondrop="event.preventDefault();tell('dropped at '+event.clientX,event.dataTransfer.files)">here</div>
<input id=folder type=file webkitdirectory style="top:200px">
<iframe style="top:260px" srcdoc="<body style='margin:0'><input id=inner type=file style='width:300px;height:40px'><script>${TELL.replaceAll('"', "'")}</script>"></iframe>
<script>${TELL}</script>`,
  "/give": `<!doctype html><title>Give</title><style>body{margin:0}a{position:absolute;left:20px;width:300px;height:40px}</style>
<a id=get style="top:20px" download="<b>Grüße</b> 1.txt">get</a>
<script>get.href = URL.createObjectURL(new Blob(["Grüße ".repeat(500_000)]))</script>`,
  "/outer": `<!doctype html><title>Outer</title>${STYLE}<iframe style="top:20px" src="{other}/inner"></iframe>
<script>onmessage=({data})=>document.title=data</script>`,
  "/inner": `<body style="margin:0"><input type=file style="width:300px;height:40px"
onchange="parent.postMessage('inner '+this.files[0].name,'*')"><script>onload=()=>requestAnimationFrame(()=>requestAnimationFrame(()=>parent.postMessage('inner is shown','*')))</script>`,
};

const directory = temporaryDirectory();
const file = (name: string, content: string | Buffer) => {
  const path = join(directory.path, name);
  writeFileSync(path, content);
  return path;
};
const sum = (content: string | Buffer) => createHash("sha256").update(content).digest("hex").slice(0, 8);

let world: LiveWorld;
beforeAll(async () => {
  // A frame of another site in a process of its own.
  world = await startLiveWorld(PAGES, ["--site-per-process"]);
});
afterEach(async () => {
  for (const context of world.person.contexts()) await context.close();
  world.server.engine.returnControl("demo");
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const title = () => world.browsing.value("document.title");
const begin = async (path = "/files"): Promise<Page> => {
  await world.browsing.open(path);
  const page = await world.watch({ label: "anna" });
  await takeControl(page);
  return page;
};
const chooser = async (page: Page, x: number, y: number): Promise<FileChooser> => {
  const opened = page.waitForEvent("filechooser", { timeout: 30_000 });
  await page.mouse.click(...(await at(page, x, y)));
  return await opened;
};
const panel = (page: Page) => page.locator("#files");

describe("what the page asks for", () => {
  test("one file of the person's own machine, whatever it is called", async () => {
    const page = await begin();
    const opened = await chooser(page, 60, 40);
    expect(opened.isMultiple()).toBe(false);
    expect(await page.locator("#files-input").getAttribute("accept")).toBe("image/*,.txt");
    await panel(page).getByText("The page asks for a file").waitFor();
    const content = Buffer.from("Grüße".repeat(100_000));
    await opened.setFiles(file("Grüße 你好 (1).txt", content));
    await settles(title, `one Grüße 你好 (1).txt:${content.length} ${sum(content)}`);
    await panel(page).waitFor({ state: "hidden" });
  });

  test("several at once, two of one name among them, and once more the same", async () => {
    const page = await begin();
    const first = await chooser(page, 60, 100);
    expect(first.isMultiple()).toBe(true);
    const same = (text: string) => ({ name: "same.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
    await first.setFiles([same("a"), same("bb")]);
    await settles(title, `many same.txt:1,same (2).txt:2 ${sum("bb")}`);
    await (await chooser(page, 60, 100)).setFiles([same("ccc")]);
    await settles(title, `many same.txt:3 ${sum("ccc")}`);
  });

  test("nothing chosen is told to the page, by the button and by Escape", async () => {
    const page = await begin();
    await chooser(page, 60, 40);
    await panel(page).getByRole("button", { name: "Cancel" }).click();
    await settles(title, "one cancelled");
    await chooser(page, 60, 100);
    await panel(page).waitFor();
    await page.keyboard.press("Escape");
    await settles(title, "many cancelled");
    await panel(page).waitFor({ state: "hidden" });
  });

  test("a folder is refused in words, and the page goes on", async () => {
    const page = await begin();
    await page.mouse.click(...(await at(page, 60, 220)));
    await page.locator("#toast.shown", { hasText: "The page asks for a folder" }).waitFor();
    await settles(title, "folder cancelled");
  });

  test("in frames of the page, also in one with a process of its own", async () => {
    const page = await begin();
    await (await chooser(page, 60, 280)).setFiles(file("inner.txt", "in"));
    await settles(title, `inner inner.txt:2 ${sum("in")}`);
    await world.browsing.open("/outer");
    await page.getByRole("button", { name: "Tab: inner is shown" }).waitFor(); // a click before that meets an empty frame
    await (await chooser(page, 60, 40)).setFiles(file("other.txt", "out"));
    await settles(title, "inner other.txt");
  });

  test("a page that goes elsewhere waits for nothing any more", async () => {
    const page = await begin();
    await chooser(page, 60, 40);
    await panel(page).waitFor();
    await world.browsing.open("/colours");
    await panel(page).waitFor({ state: "hidden" });
  });

  test("Playwright at the CDP door hears of it as before, and answers it", async () => {
    await begin();
    const { ws_url } = await world.client.vms.cdpToken("demo");
    const automation = await chromium.connectOverCDP(ws_url);
    try {
      const theirs = automation.contexts()[0]!.pages()[0]!;
      const [opened] = await Promise.all([theirs.waitForEvent("filechooser"), theirs.click("#one")]);
      await opened.setFiles(file("automation.txt", "hers"));
      await settles(title, `one automation.txt:4 ${sum("hers")}`);
    } finally {
      await automation.close();
    }
  });
});

describe("dropped on the picture", () => {
  const drop = async (page: Page, x: number, y: number, content: string) => {
    const [clientX, clientY] = await at(page, x, y);
    const data = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], "dropped.txt"));
      return transfer;
    }, content);
    for (const type of ["dragover", "drop"])
      await page.locator("#picture").dispatchEvent(type, { clientX, clientY, dataTransfer: data });
  };

  test("files go where they are let go of: a zone of the page, a field", async () => {
    const page = await begin();
    await drop(page, 60, 160, "on the zone");
    await settles(title, `dropped at 60 dropped.txt:11 ${sum("on the zone")}`);
    await drop(page, 60, 40, "on the field");
    await settles(title, `one dropped.txt:12 ${sum("on the field")}`);
  });

  test("without control nothing is sent, and this window stays what it is", async () => {
    await world.browsing.open("/files");
    const page = await world.watch();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.method()));
    await drop(page, 60, 160, "no");
    await takeControl(page);
    await page.mouse.click(...(await at(page, 600, 400)));
    await drop(page, 60, 160, "yes");
    await settles(title, `dropped at 60 dropped.txt:3 ${sum("yes")}`);
    expect(asked.filter((method) => method === "PUT")).toHaveLength(1);
  });
});

describe("what the page downloads", () => {
  test("is shown to who acts, saved where they are, and nobody else's", async () => {
    const page = await begin("/give");
    const other = await world.watch();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.mouse.click(...(await at(page, 60, 40)));
    const line = page.locator("#downloads-list li");
    await line.getByText("4.0 MB", { exact: true }).waitFor();
    // Chromium takes from the name what no file may be called.
    expect(await line.locator("bdi").textContent()).toMatch(/^.?b.?Grüße.+ 1\.txt$/);
    expect(await page.locator("#downloads b").count()).toBe(0);
    const saved = page.waitForEvent("download");
    await line.getByRole("button").click();
    const path = await (await saved).path();
    expect(await Bun.file(path).text()).toBe("Grüße ".repeat(500_000));
    expect(await other.locator("#downloads").isVisible()).toBe(false);

    await page.getByRole("button", { name: "Give back" }).click();
    await page.locator("#downloads").waitFor({ state: "hidden" });
    expect(errors).toEqual([]);
  });

  test("only begins to be shown with who acts, and its bytes need control", async () => {
    await world.browsing.open("/give");
    await world.browsing.act("click", { selector: "#get" });
    await world.browsing.wait({ download: {} });
    const [earlier] = (await world.browsing.guest.downloads.list({ timeout_ms: 5_000 })).items;
    const page = await world.watch();
    await takeControl(page);
    await page.mouse.click(...(await at(page, 60, 40)));
    await page.locator("#downloads-list li").waitFor();
    expect(await page.locator("#downloads-list li").count()).toBe(1);

    const link = await world.client.live.createLink("demo", {});
    const url = `${world.server.url}/live/demo/downloads/${earlier!.id}`;
    const get = (token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const code = async (reply: Promise<Response>) => ((await (await reply).json()) as { code: string }).code;
    expect(await code(get(new URL(link.url).hash.slice(1)))).toBe("control_held");
    expect(await code(get(KEY))).toBe("live_link_invalid");
  });
});

describe("the route", () => {
  const BATCH = "0190b5a0-0000-4000-8000-000000000001";
  const put = async (token: string, name: string, query: string, batch = BATCH) => {
    const url = `${world.server.url}/live/demo/files/${batch}/${encodeURIComponent(name)}?${query}`;
    const reply = await fetch(url, { method: "PUT", headers: { authorization: `Bearer ${token}` }, body: "bytes" });
    return ((await reply.json()) as { code?: string }).code ?? reply.status;
  };

  test("is for the page that acts, by its link", async () => {
    const watcher = await world.client.live.createLink("demo", { view_only: true });
    expect(await put(new URL(watcher.url).hash.slice(1), "a.txt", "tab=t")).toBe("view_only");
    const actor = await world.client.live.createLink("demo", {});
    expect(await put(new URL(actor.url).hash.slice(1), "a.txt", "tab=t")).toBe("control_held");
    expect(await put(KEY, "a.txt", "tab=t")).toBe("live_link_invalid");
    expect(await put("nonsense", "a.txt", "tab=t")).toBe("live_link_invalid");
  });

  test("takes plain names for one tab, and what is handed over is nobody else's", async () => {
    const page = await begin();
    const [token, id] = await page.evaluate(() => [
      sessionStorage.getItem("hype-live-token /live/demo") ?? "",
      sessionStorage.getItem("hype-live-page") ?? "",
    ]);
    const send = (name: string, tab: string, batch?: string) => put(token ?? "", name, `page=${id}&tab=${tab}`, batch);
    const one = (await world.browsing.guest.tabs()).items.find(({ active }) => active)?.id ?? "";
    expect(await send("a.txt", one)).toBe(200);
    expect(await send("b.txt", "another")).toBe("invalid_request");
    expect(await send("../b.txt", one)).toBe("invalid_request");
    expect(await send("b.txt", one, "no-batch")).toBe("invalid_request");
    expect((await world.browsing.guest.uploads.list({ timeout_ms: 5_000 })).items).toEqual([]);
  });
});
