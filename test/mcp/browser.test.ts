import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browsing, refIn, startBrowsing } from "../lib/browsing.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, type McpClient } from "./world.ts";

setDefaultTimeout(60_000); // a real Chromium

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({
    "/two": `<title>Two</title><button onclick="document.title='pressed'">Press</button><label>Name <input id=name></label>
      <label><input type=checkbox id=box>Agree</label><select aria-label=Colour><option>red<option>blue</select>
      <script>console.error("it broke"); fetch("/data?x=1")</script>`,
    "/ask": `<title>Ask</title><button onclick="document.title = confirm('Sure?') ? 'yes' : 'no'">Delete</button>`,
  });
  for (const name of ["demo", "again"]) {
    server.engine.add(name);
    server.engine.guests.set(name, browsing.guest);
  }
  mcp = await connectClient(`${server.url}/mcp?tools=all`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

const call = (name: string, args: object = {}) => mcp.call(name, { vm: "demo", ...args });
const tabOf = (text: string): string => /^- Tab: (\S+)$/m.exec(text)?.[1] ?? "";

describe("a page", () => {
  beforeEach(async () => {
    const opened = await call("browser_navigate", { url: `${browsing.site.origin}/two` });
    expect(opened.text).toContain("- Title: Two");
  });

  test("is looked at, acted on by ref and by selector, and read", async () => {
    const { text } = await call("browser_snapshot");
    expect(text).toContain('button "Press"');
    const pressed = await call("browser_click", { target: refIn(text, "Press"), snapshot: true });
    expect(pressed.text).toContain("- Title: pressed");
    expect(pressed.text).toContain("### Snapshot");
    await call("browser_type", { ref: refIn(text, "Name"), element: "the name", text: "Ada" });
    const filled = await call("browser_fill_form", {
      fields: [
        { target: "#box", type: "checkbox", value: "true", name: "Agree" },
        { ref: refIn(text, "Colour"), type: "combobox", value: "blue" },
      ],
    });
    expect(filled.isError, filled.text).toBe(false);
    const state = await call("browser_evaluate", {
      function:
        "() => [document.querySelector('#name').value, document.querySelector('#box').checked, document.querySelector('select').value]",
    });
    expect(JSON.parse(state.text.split("\n").slice(2, -1).join("\n"))).toEqual(["Ada", true, "blue"]);
    expect((await call("browser_find", { text: "Press" })).text).toMatch(/\[ref=\w+\] button "Press"/);
    expect((await call("page_markdown", { full: true })).text).toContain("Agree");
  });

  test("is pictured as an image block, and printed into an artifact that is a resource", async () => {
    const { content } = await call("browser_take_screenshot", { type: "jpeg" });
    const image = content.find(({ type }) => type === "image") as unknown as { data: string; mimeType: string };
    expect(image.mimeType).toBe("image/jpeg");
    expect([...Buffer.from(image.data, "base64").subarray(0, 2)]).toEqual([0xff, 0xd8]);
    const pdf = await call("browser_pdf_save");
    const { uri } = pdf.content.find(({ type }) => type === "resource_link") as unknown as { uri: string };
    const { contents } = await mcp.client.readResource({ uri });
    expect(Buffer.from((contents[0] as { blob: string }).blob, "base64").toString("latin1", 0, 5)).toBe("%PDF-");
    expect((await mcp.call("artifact_list")).text).toContain("pdf");
    const shot = await mcp.client.readResource({ uri: "hype://vms/demo/screenshot" });
    expect((shot.contents[0] as { mimeType: string }).mimeType).toBe("image/png");
  });

  test("tells what it said and asked for since it was first used", async () => {
    await browsing.site.asked("/data?x=1");
    await call("browser_wait_for", { text: "Agree" });
    expect((await call("browser_console_messages", { level: "error" })).text).toContain("it broke");
    const requests = (await call("browser_network_requests", { filter: "/data" })).text;
    expect(requests).toMatch(/GET .*\/data\?x=1 => 404/);
    const id = /\[([^\]]+)\]/.exec(requests)?.[1] ?? "";
    expect((await call("browser_network_request", { id })).text).toContain("Not here");
  });

  test("what cannot be done is said with what to do next", async () => {
    const stale = await call("browser_click", { target: "e9999" });
    expect(stale).toMatchObject({ isError: true });
    expect(stale.text).toContain("browser_snapshot");
    expect((await call("browser_click", { target: "#nobody" })).text).toContain("element_not_found");
    expect((await call("browser_evaluate", { function: "() => { throw new Error('no') }" })).text).toContain(
      "evaluation_failed",
    );
    expect((await call("browser_select_option", { target: "select", values: ["green"] })).text).toContain(
      "option_not_found",
    );
    expect((await call("browser_navigate", { url: "http://127.0.0.1:1/" })).text).toContain("navigation_failed");
  });
});

test("questions of a page are answered as was said", async () => {
  await call("browser_navigate", { url: `${browsing.site.origin}/ask` });
  const first = await call("browser_click", { target: "button" });
  expect(first.text).toContain("Sure?");
  expect(first.text).toContain("Title: no");
  expect((await call("browser_handle_dialog", { accept: true })).text).toContain("will be accepted");
  expect((await call("browser_click", { target: "button" })).text).toContain("Title: yes");
});

test("two clients on one VM keep out of each other's tabs", async () => {
  const urls = ["/form", "/things"];
  await using a = await connectClient(`${server.url}/mcp/vms/again`, "legacy");
  await using b = await connectClient(`${server.url}/mcp/vms/again`, "legacy");
  const [first, second] = await Promise.all(
    [a, b].map((client, at) => client.call("browser_navigate", { url: browsing.site.origin + urls[at] })),
  );
  const tabs = [tabOf(first!.text), tabOf(second!.text)];
  expect(new Set(tabs).size).toBe(2);
  for (let round = 0; round < 3; round++) {
    expect((await a.call("browser_evaluate", { function: "location.pathname" })).text).toContain("/form");
    expect((await b.call("browser_evaluate", { function: "location.pathname" })).text).toContain("/things");
  }
  expect((await a.call("browser_snapshot", { tab: tabs[1] })).text).toContain("Title: Things"); // named, it is reached
  expect((await a.call("browser_tabs", { action: "select", tab: tabs[0] })).isError).toBe(false);
  expect((await a.call("browser_close")).text).toContain(tabs[0] ?? "-");
  expect((await b.call("browser_evaluate", { function: "location.pathname" })).text).toContain("/things");
  expect((await a.call("browser_navigate", { url: `${browsing.site.origin}/` })).text).not.toContain(tabs[1] ?? "-");
});

test("a tab that is gone is said to be, and the next call goes on in another", async () => {
  await using other = await connectClient(`${server.url}/mcp/vms/again?client=gone`, "auto");
  const opened = await other.call("browser_navigate", { url: `${browsing.site.origin}/` });
  await browsing.guest.closeTab({ tab: tabOf(opened.text), timeout_ms: 10_000 });
  expect((await other.call("browser_snapshot")).text).toContain("tab_not_found");
  expect((await other.call("browser_navigate", { url: `${browsing.site.origin}/` })).isError).toBe(false);
});

test("a VM that goes away in the middle of a call ends it, and says so", async () => {
  server.engine.add("dying");
  server.engine.guests.set("dying", browsing.guest);
  const waiting = mcp.call("browser_navigate", { vm: "dying", url: `${browsing.site.origin}/hang` });
  await browsing.site.asked("/hang");
  await server.engine.delete("dying");
  const said = await waiting;
  expect(said).toMatchObject({ isError: true });
  expect(said.text).toContain("vm_not_running");
});

test("every tool of the browser does its work, or says what is missing", async () => {
  const { tools } = await mcp.client.listTools();
  await call("browser_navigate", { url: `${browsing.site.origin}/acts` });
  const args: Record<string, object> = {
    browser_resize: { width: 500, height: 400 },
    browser_scroll: { dy: 10 },
    browser_mouse_move_xy: { x: 5, y: 5 },
    browser_mouse_click_xy: { x: 300, y: 300 },
    browser_press_key: { key: "Tab" },
    browser_emulate: { color_scheme: "dark" },
    browser_route: { pattern: "*/blocked*" },
    browser_route_list: {},
    browser_cookie_set: { name: "a", value: "1", domain: "127.0.0.1" },
    browser_cookie_list: {},
    browser_cookie_delete: { name: "a" },
    browser_storage_set: { origin: browsing.site.origin, name: "k", value: "v" },
    browser_storage_get: {},
    browser_storage_state: {},
    browser_set_storage_state: { state: { cookies: [], origins: [] } },
    browser_clear_state: { parts: ["cookies"], confirm: true },
    page_links: {},
    browser_downloads: {},
    browser_reload: {},
    browser_stop: {},
  };
  for (const [name, given] of Object.entries(args)) {
    expect(tools.map((tool) => tool.name)).toContain(name);
    const said = await call(name, given);
    expect(said.isError, `${name}: ${said.text}`).toBe(false);
  }
  expect(
    (await call("browser_evaluate", { function: "matchMedia('(prefers-color-scheme: dark)').matches" })).text,
  ).toContain("true");
});
