import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { findTool, TOOLS } from "../../src/tools/registry.ts";
import { outputSchema } from "../../src/tools/schema.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { connectClient, type McpClient } from "../mcp/world.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000); // a real Chromium

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({
    "/page": `<title>Page</title><a href="/two">Two</a><a id=save href="data:text/plain,saved" download="note.txt">Save</a>`,
  });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  mcp = await connectClient(`${server.url}/mcp?tools=all`, "auto");
  await mcp.client.listTools(); // from here on the client, too, holds results against what was promised
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

/** Left to others: what needs a whole VM, or a person. */
const ELSEWHERE = ["vm_create", "vm_start", "vm_stop", "vm_restart", "vm_pause", "vm_resume", "vm_delete"];

test("what a tool promises of its result is what it gives, whole", async () => {
  const demo = { vm: "demo" };
  const called = new Set<string>(ELSEWHERE);
  const call = async (name: string, args: object = {}) => {
    const said = await mcp.call(name, { ...args });
    expect(said.isError, `${name}: ${said.text}`).toBe(false);
    const tool = findTool(name, "admin");
    if (!tool?.output) return {} as Record<string, never>;
    called.add(name);
    expect(said.structured, name).toBeDefined();
    const found = v.safeParse(tool.output, said.structured);
    expect(found.issues?.map(({ message }) => message) ?? [], name).toEqual([]);
    const promised = outputSchema(tool)?.properties ?? {};
    expect(Object.keys(promised), name).toEqual(expect.arrayContaining(Object.keys(said.structured as object)));
    return said.structured as Record<string, string>;
  };
  const { origin } = browsing.site;
  await call("browser_navigate", { ...demo, url: `${origin}/page` });
  await call("page_links", demo);
  for (const name of ["reload", "stop", "scroll"]) await call(`browser_${name}`, demo);
  await call("browser_navigate_back", demo);
  await call("browser_navigate_forward", demo);
  await call("browser_mouse_move_xy", { ...demo, x: 400, y: 400 });
  await call("browser_mouse_click_xy", { ...demo, x: 400, y: 400 });
  await call("browser_mouse_drag_xy", { ...demo, startX: 400, startY: 400, endX: 410, endY: 410 });
  for (const name of ["down", "up", "wheel"]) await call(`browser_mouse_${name}`, demo);
  await call("browser_generate_locator", { ...demo, target: "#save" });
  await call("browser_cookie_set", { ...demo, name: "a", value: "1", domain: "127.0.0.1" });
  await call("browser_storage_set", { ...demo, name: "k", value: "v" });
  expect(await call("browser_cookie_list", demo)).toMatchObject({ total: 1, cookies: [{ name: "a", value: "1" }] });
  expect(await call("browser_storage_get", demo)).toMatchObject({ items: [{ entries: [{ name: "k", value: "v" }] }] });
  await call("profile_save", { ...demo, name: "ada" });
  await call("profile_list");
  await call("profile_delete", { name: "ada", confirm: true });
  expect(await call("browser_cookie_delete", { ...demo, name: "a" })).toEqual({ cleared: 1 } as never);
  expect(await call("browser_storage_delete", demo)).toEqual({ deleted: 1 } as never);
  await call("browser_set_storage_state", { ...demo, state: { cookies: [], origins: [] } });
  await call("browser_clear_state", { ...demo, confirm: true });
  await call("browser_route", { ...demo, pattern: "*/blocked*" });
  expect(await call("browser_route_list", demo)).toMatchObject({ rules: [{ action: "block", hits: 0 }] });
  await call("vm_put_file", { ...demo, name: "a.txt", text: "a" });
  await call("browser_start_video", { ...demo, format: "mkv" });
  await call("browser_stop_video", demo);
  const { artifact = "" } = await call("browser_pdf_save", demo);
  await call("artifact_list");
  await call("artifact_get", { id: artifact });
  await call("artifact_delete", { id: artifact, confirm: true });
  await call("browser_click", { ...demo, target: "#save" });
  const waited = await mcp.call("browser_wait_for", { ...demo, download: "*" });
  await call("artifact_keep_download", { ...demo, id: /\[([^\]]+)\]/.exec(waited.text)?.[1] });
  for (const name of ["vm_get", "vm_wait", "vm_live_link", "browser_take_over", "vm_control", "vm_control_return"])
    await call(name, demo);
  await call("vm_proxy_set", { ...demo, url: "http://user:secret@10.0.0.1:3128" });
  await call("vm_proxy_get", demo);
  for (const name of ["vm_list", "host_status", "image_list", "vm_metrics"]) await call(name);
  const promising = TOOLS.filter(({ output }) => output !== null).map(({ name }) => name);
  expect([...called].toSorted()).toEqual(promising.toSorted()); // none is left out
});

test("tools of machines, profiles and kept files promise what they give", () => {
  const silent = TOOLS.filter(({ output, name }) => output === null && !/^(browser|page)_/.test(name));
  expect(silent.map(({ name }) => name)).toEqual(["vm_logs"]); // a log is text
});
