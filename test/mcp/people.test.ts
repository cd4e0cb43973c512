import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, countReaders, ERAS, type McpClient, newKey } from "./world.ts";

let server: TestServer;
let readers: ReturnType<typeof countReaders>;
beforeAll(() => {
  server = startTestServer();
  readers = countReaders(server.engine);
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => void server.engine.returnControl("demo"));

const control = (action: object) =>
  server.call("/api/v1/vms/demo/control", { method: "POST", body: JSON.stringify(action) });
const linkIn = (text: string): URL => new URL(/https?:\/\/\S+/.exec(text)?.[0] ?? "");

describe.each(ERAS)("era %s", (era) => {
  const open = () => connectClient(`${server.url}/mcp?tools=all`, era);

  test("a link opens the live view for whoever is given it, as it was made", async () => {
    await using mcp = await open();
    const said = await mcp.call("vm_live_link", { vm: "demo", view_only: true, label: "Ada", ttl_seconds: 60 });
    const link = linkIn(said.text);
    expect(link.href).toBe((said.structured as { url: string }).url);
    expect(link.href).toStartWith(`${server.url}/live/demo#`);
    const own = await fetch(`${server.url}/live/demo/link`, {
      headers: { authorization: `Bearer ${link.hash.slice(1)}` },
    });
    expect(await own.json()).toMatchObject({ label: "Ada", view_only: true, vm: { name: "demo" } });
    expect((await mcp.call("vm_live_link", { vm: "nobody" })).text).toContain("vm_not_found");
    expect((await mcp.call("vm_live_link", { vm: "demo", ttl_seconds: 1 })).text).toContain("ttl_seconds");
  });

  test("a person takes over and gives back, and the agent waits for it", async () => {
    await using mcp = await open();
    const before = readers.count();
    const given = await mcp.call("browser_take_over", { vm: "demo", reason: "log in, please" });
    expect(given.text).toContain("Ask them: log in, please");
    expect(linkIn(given.text).hash.length).toBeGreaterThan(40);
    expect(server.engine.get("demo").control).toMatchObject({ link: null });
    const again = await mcp.call("browser_take_over", { vm: "demo" }); // the first link was lost: the offer stands
    expect(linkIn(again.text).href).not.toBe(linkIn(given.text).href);
    const waiting = mcp.call("vm_control", { vm: "demo", wait: "returned" });
    await readers.until(before + 1);
    await control({ action: "take", holder: "Ada", force: true }); // as the page of the link does
    await control({ action: "return" });
    expect(await waiting).toMatchObject({ isError: false, structured: { control: null } });
    expect((await waiting).text).toContain("in nobody's hands");
    await readers.until(before);
  });

  test("who has it is told, late and at once; it is not taken from a person", async () => {
    await using mcp = await open();
    await control({ action: "take", holder: "Ada" });
    expect((await mcp.call("vm_control", { vm: "demo" })).text).toContain("in the hands of Ada since");
    expect((await mcp.call("vm_get", { vm: "demo" })).text).toContain("in the hands of Ada");
    const taken = await mcp.call("browser_take_over", { vm: "demo" });
    expect(taken).toMatchObject({ isError: true });
    expect(taken.text).toContain("control_held");
    const late = await mcp.call("vm_control", { vm: "demo", wait: "returned", timeout_seconds: 1 });
    expect(late).toMatchObject({ isError: false, structured: { control: { label: "Ada" } } });
    expect(late.text).toContain("call again");
    expect((await mcp.call("vm_control_return", { vm: "demo" })).text).toContain("nobody's");
    expect(server.engine.get("demo").control).toBeNull();
    expect((await mcp.call("vm_control", { vm: "demo", wait: "returned" })).isError).toBe(false); // nothing to wait for
  });

  test("a wait ends with its caller", async () => {
    await using mcp = await open();
    const before = readers.count();
    const stop = new AbortController();
    const waiting = mcp.call("vm_control", { vm: "demo", wait: "taken" }, { signal: stop.signal });
    await readers.until(before + 1);
    stop.abort();
    await expect(waiting).rejects.toThrow();
    await readers.until(before);
  });
});

test("an offer that cannot be made leaves the browser in nobody's hands", async () => {
  await using mcp = await connectClient(`${server.url}/mcp`, "auto");
  const { store } = server;
  const insert = store.liveLinks.insert.bind(store.liveLinks);
  store.liveLinks.insert = () => {
    throw new Error("the disk is gone");
  };
  const said = await mcp.call("browser_take_over", { vm: "demo" });
  store.liveLinks.insert = insert;
  expect(said).toMatchObject({ isError: true });
  expect(server.engine.get("demo").control).toBeNull();
});

describe("what else was asked for", () => {
  let mcp: McpClient;
  beforeAll(async () => void (mcp = await connectClient(`${server.url}/mcp?tools=all`, "auto")));
  afterAll(() => mcp[Symbol.asyncDispose]());

  test("what VMs use, and what their pages are for those who may look in", async () => {
    server.engine.pages.set("demo", { url: "https://example.com/", title: "Example", tabs: 2 });
    const seen = await mcp.call("vm_metrics", { vm: "demo" });
    expect(seen.text).toContain("demo: 1.5 % of a core, 300 MB, 2 tabs, shows Example");
    const key = newKey(server, { name: "only-reads", scope: "read" });
    await using reader = await connectClient(`${server.url}/mcp?tools=all`, "auto", { key });
    const read = await reader.call("vm_metrics");
    expect(read.text).toContain("300 MB");
    expect(read.text).not.toContain("Example");
    server.engine.add("idle", { status: "stopped" });
    expect((await mcp.call("vm_metrics", { vm: "idle" })).text).toContain("idle is stopped");
    expect((await reader.call("vm_control_return", { vm: "demo" })).text).toContain("no tool");
  });

  test("a proxy is set, shown without its password, and taken away", async () => {
    expect((await mcp.call("vm_proxy_get", { vm: "demo" })).text).toContain("directly");
    const wrong = await mcp.call("vm_proxy_set", { vm: "demo", url: "ftp://u:hush@proxy.example" });
    expect(wrong).toMatchObject({ isError: true });
    expect(wrong.text).not.toContain("hush");
    const set = await mcp.call("vm_proxy_set", {
      ...{ vm: "demo", url: "http://u:hush@proxy.example:3128", bypass: ["*.example.org"] },
    });
    expect(set.text).toContain("its tabs are gone");
    const shown = await mcp.call("vm_proxy_get", { vm: "demo" });
    expect(shown.text).toContain("http://u:***@proxy.example:3128, but not to *.example.org");
    expect(shown.text).not.toContain("hush");
    expect((await mcp.call("vm_proxy_set", { vm: "demo" })).text).toContain("directly");
    const { proxy } = await connect({ base: server.url, key: KEY }).vms.proxy("demo");
    expect(proxy).toBeNull();
    expect(server.lines.join("\n")).not.toContain("hush");
  });
});
