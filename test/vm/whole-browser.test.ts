import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HttpAgent } from "@ag-ui/client";
import { Client as McpClient } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { type Browser, chromium, type Page } from "playwright-core";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { HYPE, SealedHome, type Served } from "../lib/hype.ts";

setDefaultTimeout(180_000); // under software emulation

/** A site that needs no network: rules of the VM answer for it. */
const SHOP = "https://shop.test/";
const PAGE = `<!doctype html><title>Shop</title><body style="margin:0;background:#00a000">
<input type=file id=file onchange="document.title=this.files[0].name+' '+this.files[0].size">
<button id=press onclick="document.title='pressed'">Press</button>
<a id=receipt download=receipt.txt href="data:text/plain,paid">receipt</a>
<script>localStorage.user ??= ''; document.querySelector('#press').after(localStorage.user)</script>`;

/** What outlives a page and a VM, on the real thing: the built program, a real microVM, real clients. One VM serves all tests here. */
describe("the whole browser in a microVM", () => {
  let home: SealedHome;
  let server: Served;
  let client: Client;
  let person: Browser;
  const mock = (vm: string) => home.ok(["rules", "add", vm, `${SHOP}*`, "--mock", PAGE, "--content-type", "text/html"]);

  beforeAll(async () => {
    home = new SealedHome();
    server = await home.serve();
    client = connect({ base: server.url, key: server.key });
    await home.ok(["vms", "create", "demo", "--cpu", "2", "--memory", "1536", "--keep", "download"]);
    await mock("demo");
    person = await chromium.launch({
      executablePath: "/usr/lib/chromium/chromium-headless-shell",
      args: ["--no-sandbox"],
    });
  });
  afterAll(async () => {
    await person?.close();
    await home[Symbol.asyncDispose]();
  });

  test("a login is saved and given to another VM, which is logged in from its first page on", async () => {
    await home.ok(["open", "demo", SHOP]);
    await home.ok(["eval", "demo", "localStorage.user = 'alice'; document.cookie = 'sid=s3cret; max-age=9000'"]);
    expect(await home.ok(["profiles", "save", "demo", "--as", "alice"])).toContain("alice");
    await home.ok(["vms", "create", "work", "--profile", "alice"]);
    await mock("work");
    await home.ok(["open", "work", SHOP]);
    expect((await home.ok(["eval", "work", "localStorage.user + ' ' + document.cookie"])).trim()).toContain(
      "alice sid=s3cret",
    );
    await home.ok(["vms", "delete", "work", "--yes"]);
  });

  test("a whole profile, by way of a file: another VM begins with all of it, the one it is of goes on", async () => {
    await home.ok(["open", "demo", SHOP]);
    await home.ok([
      ...["eval", "demo"],
      "localStorage.user = 'carol'; document.cookie = 'sid=s3cret; max-age=9000'; document.cookie = 'once=1'",
    ]);
    expect(await home.ok(["profiles", "save", "demo", "--as", "carol", "--whole"])).toContain("whole");
    await home.ok(["profiles", "export", "carol", "-o", "carol.tar.zst"]);
    await home.ok(["profiles", "delete", "carol"]);
    await home.ok(["profiles", "import", "carol", "carol.tar.zst"]);
    await mock("demo"); // rules of a tab end with it
    await home.ok(["vms", "create", "other", "--profile", "carol"]);
    await mock("other");
    for (const vm of ["other", "demo"]) {
      await home.ok(["open", vm, SHOP]);
      const kept = (await home.ok(["eval", vm, "localStorage.user + ' ' + document.cookie"])).trim();
      for (const part of ["carol", "sid=s3cret", "once=1"]) expect(kept).toContain(part);
    }
    await home.ok(["profiles", "delete", "carol"]);
    await home.ok(["vms", "delete", "other", "--yes"]);
  });

  test("a file streams in and into a file input; a download is kept on the host by itself", async () => {
    const file = randomBytes(20 * 1024 * 1024);
    writeFileSync(join(home.path, "photo.bin"), file);
    await home.ok(["open", "demo", SHOP]);
    await home.ok(["upload", "demo", "photo.bin", "--into", "#file"]);
    await home.ok(["wait", "demo", "--function", `document.title === 'photo.bin ${file.length}'`]);
    await home.ok(["click", "demo", "#receipt"]);
    const waited = await client.browser.operate("demo", "wait", { download: true, timeout_ms: 60_000 });
    expect(waited.download).toMatchObject({ name: "receipt.txt", state: "completed", received_bytes: 4 });
    let kept = await client.artifacts.list({ vm: "demo", kind: "download" });
    while (kept.items.length === 0) kept = await client.artifacts.list({ vm: "demo", kind: "download" });
    await home.ok(["artifacts", "download", kept.items[0]!.id, "-o", "receipt.txt"]);
    expect(readFileSync(join(home.path, "receipt.txt"), "utf8")).toBe("paid");
  });

  test("a film of the tab", async () => {
    await home.ok(["open", "demo", SHOP]);
    await home.ok(["record", "demo", "--seconds", "2", "-o", "visit.webm"]);
    const film = readFileSync(join(home.path, "visit.webm"));
    expect(film.subarray(0, 4).toString("hex")).toBe("1a45dfa3"); // EBML (RFC 8794, section 11.2.1)
    expect(film.length).toBeGreaterThan(1_000);
  });

  test("a person watches, takes over and gives back, while Playwright stays connected", async () => {
    const automation = await chromium.connectOverCDP((await home.ok(["cdp", "demo"])).trim());
    try {
      await home.ok(["open", "demo", SHOP]);
      const window = await person.newPage();
      await window.goto((await home.ok(["live", "demo", "--ttl", "10m"])).trim());
      await showsGreen(window);
      await window.getByRole("button", { name: "Take control" }).click();
      await window.locator("body.mine").waitFor({ timeout: 60_000 });
      expect((await client.vms.get("demo")).control).toMatchObject({ holder: "human" });
      await window.getByLabel("Address of the page").fill(`${SHOP}?second`);
      await window.getByLabel("Address of the page").press("Enter");
      await client.browser.operate("demo", "wait", { url: `${SHOP}?second`, timeout_ms: 60_000 });
      await window.getByRole("button", { name: /Give back/ }).click();
      await client.live.control("demo", { wait: "returned", timeout_seconds: 60 });
      await window.close();
      const page = automation
        .contexts()[0]!
        .pages()
        .find((one) => one.url().startsWith(SHOP));
      await page!.click("#press", { timeout: 60_000 });
      expect(await page!.title()).toBe("pressed");
    } finally {
      await automation.close();
    }
  });

  test("an MCP client works on it over stdio", async () => {
    const mcp = new McpClient({ name: "test", version: "1" });
    await mcp.connect(
      new StdioClientTransport({ command: HYPE, args: ["mcp", "--vm", "demo"], env: home.env, cwd: home.path }),
    );
    try {
      const call = async (name: string, input: Record<string, unknown>) => {
        const { content, isError } = await mcp.callTool({ name, arguments: input }, { timeout: 120_000 });
        expect(isError ?? false, JSON.stringify(content)).toBe(false);
        return JSON.stringify(content);
      };
      await call("browser_navigate", { url: SHOP });
      const tree = await call("browser_snapshot", {});
      const ref = /button \\"Press\\"[^\n]*?\[ref=(\w+)\]/.exec(tree)?.[1];
      await call("browser_click", { element: "Press", target: ref });
      expect(await call("browser_evaluate", { function: "() => document.title" })).toContain("pressed");
    } finally {
      await mcp.close();
    }
  });

  test("an AG-UI client drives it and sees its state", async () => {
    const agent = new HttpAgent({
      url: `${server.url}/agui/vms/demo`,
      headers: { authorization: `Bearer ${server.key}` },
    });
    agent.addMessage({ id: "1", role: "user", content: `/open ${SHOP}` });
    const { result } = await agent.runAgent();
    expect(JSON.stringify(result ?? agent.messages)).toContain("Shop");
    expect(Object.keys((agent.state as { vms: object }).vms)).toContain("demo");
  });

  test("a proxy that is not there is named; without it pages come again", async () => {
    await home.ok(["proxy", "set", "demo", "http://127.0.0.1:1"]);
    const refused = await home.run(["open", "demo", "http://elsewhere.test/"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("proxy") });
    await home.ok(["proxy", "unset", "demo"]);
    await mock("demo");
    expect(await home.ok(["open", "demo", SHOP])).toContain("Shop");
  });

  test("what was kept is there when the VM is gone", async () => {
    await home.ok(["screenshot", "demo", "--keep", "-o", "last.png"]);
    await home.ok(["vms", "delete", "demo", "--yes"]);
    const kinds = (await client.artifacts.list({ vm: "demo" })).items.map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(["download", "screenshot"]);
    expect((await client.profiles.list()).items.map(({ name }) => name)).toEqual(["alice"]);
    expect(existsSync(join(home.path, "last.png"))).toBe(true);
  });
});

/** The canvas shows the page's green, JPEG's losses allowed for. */
async function showsGreen(window: Page): Promise<void> {
  await window.waitForFunction(
    () => {
      const canvas = document.querySelector("canvas");
      const [red = 255, green = 0] = canvas?.getContext("2d")?.getImageData(600, 400, 1, 1).data ?? [];
      return red < 40 && green > 120;
    },
    undefined,
    { timeout: 60_000 },
  );
}
