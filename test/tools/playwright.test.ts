import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { encode } from "gpt-tokenizer";
import { connectClient, type McpClient } from "../mcp/world.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000); // a real Chromium

/** Tools and arguments of @playwright/mcp 0.0.83, as its `tools/list` shows them by default; `browser_run_code_unsafe` is of its own kind. */
const DEFAULT = [
  ...["navigate", "navigate_back", "snapshot", "click", "hover", "drag", "drop", "type", "fill_form", "select_option"],
  ...["press_key", "file_upload", "handle_dialog", "evaluate", "take_screenshot", "find", "wait_for", "tabs"],
  ...["console_messages", "network_requests", "network_request", "emulate_media", "resize", "close"],
].map((name) => `browser_${name}`);

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({
    "/shop": `<title>Shop</title><main><ul><li><button>Deep</button></ul></main><button id=top>Top</button>
      <script>console.log("hello"); fetch("/data?n=1")</script>`,
    "/zone": `<title>Zone</title><div id=zone style="height:40px">here</div><p id=other>not here</p><pre></pre><script>
      zone.ondragover = (event) => event.preventDefault();
      zone.ondrop = async (event) => {
        event.preventDefault();
        const files = await Promise.all([...event.dataTransfer.files].map(async (file) => file.name + "=" + await file.text()));
        document.querySelector("pre").textContent = "got " + [...files, event.dataTransfer.getData("text/plain")].join(";");
      };</script>`,
  });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  mcp = await connectClient(`${server.url}/mcp/vms/demo`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

const must = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
  const said = await mcp.call(name, args);
  expect(said.isError, `${name}: ${said.text}`).toBe(false);
  return said.text;
};
const open = (path: string) => must("browser_navigate", { url: browsing.site.origin + path });
const evaluated = async (text: string) =>
  JSON.parse((await must("browser_evaluate", { function: text })).split("\n")[2]!);

test("the list for one VM has Playwright's default set, in at most 30 tools and 6,000 tokens", async () => {
  const { tools } = await mcp.client.listTools();
  const names = tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(DEFAULT));
  expect(names.length).toBeLessThanOrEqual(30);
  expect(encode(JSON.stringify(tools)).length).toBeLessThanOrEqual(6_000);
  expect(JSON.stringify(tools)).not.toContain('"-"'); // what is taken and not shown is not shown
  await using all = await connectClient(`${server.url}/mcp/vms/demo?tools=all`, "auto");
  expect((await all.client.listTools()).tools.map(({ name }) => name)).toContain("vm_delete");
});

describe("arguments of Playwright's tools", () => {
  beforeEach(async () => {
    await open("/shop");
    await browsing.site.asked("/data?n=1");
  });

  test.each<[string, Record<string, unknown>]>([
    ["browser_take_screenshot", { filename: "a.png", type: "png" }],
    ["browser_snapshot", { filename: "a.md", boxes: true }],
    ["browser_evaluate", { function: "() => 1", filename: "a.json" }],
    ["browser_find", { text: "Top", filename: "a.md" }],
    ["browser_console_messages", { level: "info", filename: "a.log" }],
    ["browser_network_requests", { static: false, filename: "a.log" }],
  ])("of %s that are of no use here are let in, and said to be", async (name, args) => {
    const text = await must(name, args);
    for (const given of ["filename", "boxes"])
      expect(text.includes(`\`${given}\` was ignored`), given).toBe(given in args);
  });

  test("that nobody knows are refused", async () => {
    expect((await mcp.call("browser_snapshot", { fielname: "a.md" })).text).toContain("invalid_request");
    expect((await mcp.call("vm_get", { filename: "a.md" })).text).toContain("invalid_request");
  });

  test("scale: a picture of CSS pixels, whatever the screen", async () => {
    const tab = /^- Tab: (\S+)$/m.exec(await must("browser_snapshot"))?.[1] ?? "";
    const viewport = { width: 400, height: 300 };
    await browsing.guest.overlay.emulate({ viewport, device_scale_factor: 2, tab, timeout_ms: 10_000 });
    const width = async (scale: string) => {
      const said = await mcp.call("browser_take_screenshot", { scale, type: "png" });
      const image = said.content.find(({ type }) => type === "image") as unknown as { data: string };
      return Buffer.from(image.data, "base64").readUInt32BE(16);
    };
    const [device, css] = [await width("device"), await width("css")];
    await must("browser_emulate", {});
    expect(device).toBe(2 * css);
  });

  test("depth: only the upper levels of the tree", async () => {
    expect(await must("browser_snapshot")).toContain("Deep");
    const shallow = await must("browser_snapshot", { depth: 2 });
    expect(shallow).toContain("Top");
    expect(shallow).not.toContain("Deep");
  });

  test("all: every message, not only the newest", async () => {
    await must("browser_evaluate", { function: "() => { for (let i = 0; i < 150; i++) console.log('line ' + i) }" });
    expect(await must("browser_console_messages")).not.toMatch(/line 3$/m);
    expect(await must("browser_console_messages", { all: true })).toMatch(/line 3$/m);
  });

  test("index: a request by its number in the list, whatever was filtered", async () => {
    const number = /^- (\d+): .*\/data\?n=1/m.exec(await must("browser_network_requests", { filter: "/data" }))?.[1];
    const index = Number(number);
    expect(index).toBeGreaterThan(1);
    expect(await must("browser_network_request", { index })).toContain("Not here");
    const part = await must("browser_network_request", { index, part: "response-headers" });
    expect(part).toContain("### Response headers");
    expect(part).not.toContain("### Request headers");
    expect((await mcp.call("browser_network_request", { index: 4_000 })).text).toContain("request_not_found");
    expect((await mcp.call("browser_network_request", {})).text).toContain("either id or index");
  });
});

test("a PDF is kept under the name given", async () => {
  await open("/shop");
  expect(await must("browser_pdf_save", { filename: "out/receipt.pdf" })).toContain("receipt.pdf");
});

test("files and data are dropped onto an element, and only onto one that takes them", async () => {
  await open("/zone");
  await must("vm_put_file", { name: "a.txt", text: "one" });
  await must("vm_put_file", { name: "b.txt", text: "two" });
  const dropped = await must("browser_drop", {
    element: "the zone",
    target: "#zone",
    files: ["a.txt", "b.txt"],
    data: { "text/plain": "said" },
  });
  expect(dropped).toContain("Title: Zone");
  await must("browser_wait_for", { text: "got a.txt=one;b.txt=two;said" });
  expect(await evaluated("() => document.querySelectorAll('input').length")).toBe(0);
  const refused = await mcp.call("browser_drop", { target: "#other", files: ["a.txt"] });
  expect(refused.text).toContain("takes no drops");
  expect((await mcp.call("browser_drop", { target: "#zone", files: ["nothing.txt"] })).text).toContain(
    "upload_not_found",
  );
  expect((await mcp.call("browser_drop", { target: "#zone" })).text).toContain("give files, paths or data");
  expect(await evaluated("() => document.querySelectorAll('input').length")).toBe(0);
});

test("media features are emulated and taken back", async () => {
  await open("/shop");
  const sees = (query: string) => evaluated(`() => matchMedia('${query}').matches`);
  await must("browser_emulate_media", { colorScheme: "dark", reducedMotion: "reduce", media: "print" });
  expect([await sees("(prefers-color-scheme: dark)"), await sees("(prefers-reduced-motion: reduce)")]).toEqual([
    true,
    true,
  ]);
  expect(await sees("print")).toBe(true);
  await must("browser_emulate_media", { media: "no-override", colorScheme: "no-preference" });
  expect(await sees("print")).toBe(false);
  expect(await sees("(prefers-color-scheme: dark)")).toBe(false);
  expect((await mcp.call("browser_emulate_media", {})).text).toContain("one feature");
  await must("browser_emulate", {});
});

test("tools under Playwright's names do what ours do, and are in no list", async () => {
  await open("/shop");
  await must("browser_cookie_set", { name: "a", value: "1", domain: "127.0.0.1" });
  await must("browser_cookie_set", { name: "b", value: "2", domain: "127.0.0.1" });
  const got = await must("browser_cookie_get", { name: "b" });
  expect(got).toContain("b=2");
  expect(got).not.toContain("a=1");
  const asked = await mcp.call("browser_cookie_clear");
  expect(asked.text).toContain("confirm: true");
  await must("browser_cookie_clear", { confirm: true });
  expect(await must("browser_cookie_list")).toContain("no cookies");
  for (const kind of ["localstorage", "sessionstorage"]) {
    await must(`browser_${kind}_set`, { key: "k", value: "v" });
    await must(`browser_${kind}_set`, { key: "l", value: "w" });
    expect(await must(`browser_${kind}_get`, { key: "k" })).toEndWith(" k=v");
    await must(`browser_${kind}_delete`, { key: "k" });
    const left = await must(`browser_${kind}_list`);
    expect(left).toContain("l=w");
    expect(left).not.toContain("k=v");
    await must(`browser_${kind}_clear`);
    expect(await must(`browser_${kind}_list`)).not.toContain("l=w");
  }
  await must("browser_network_state_set", { state: "offline" });
  expect(await evaluated("() => navigator.onLine")).toBe(false);
  await must("browser_network_state_set", { state: "online" });
  expect((await mcp.call("browser_network_state_set", { state: "sideways" })).text).toContain("invalid_request");
  const before = (await browsing.guest.tabs()).items.length;
  await must("browser_tab_new", { url: `${browsing.site.origin}/zone` });
  expect(await must("browser_tab_list")).toContain("Zone");
  await must("browser_tab_close");
  expect((await browsing.guest.tabs()).items.length).toBe(before);
  expect((await mcp.client.listTools()).tools.map(({ name }) => name)).not.toContain("browser_tab_new");
});
