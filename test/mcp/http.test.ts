import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, countReaders, ERAS, INITIALIZE, modern, newKey, post } from "./world.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  readers = countReaders(server.engine);
  for (const name of ["demo", "other"]) server.engine.add(name, { labels: { team: name } });
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each(ERAS)("era %s", (era) => {
  test("lists and calls tools", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).toContain("vm_create");
    const listed = await mcp.call("vm_list");
    expect(listed.text).toContain("demo: running");
    expect(listed.structured).toMatchObject({ vms: [{ name: "demo" }, { name: "other" }], total: 2 });
  });

  test("all tools and groups on demand", async () => {
    await using all = await connectClient(`${server.url}/mcp?tools=all`, era);
    const everything = (await all.client.listTools()).tools.map(({ name }) => name);
    expect(everything).toContain("browser_cookie_list");
    await using files = await connectClient(`${server.url}/mcp?tools=files`, era);
    expect((await files.client.listTools()).tools.map(({ name }) => name)).toEqual([
      "browser_downloads",
      "browser_file_upload",
      "vm_put_file",
    ]);
  });

  test("an endpoint of one VM asks for no VM and reaches no other", async () => {
    await using mcp = await connectClient(`${server.url}/mcp/vms/demo`, era);
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).not.toContain("vm_list");
    for (const tool of tools) expect(tool.inputSchema.properties ?? {}).not.toHaveProperty("vm");
    expect((await mcp.call("vm_get")).text).toContain("demo: running");
    const other = await mcp.call("vm_get", { vm: "other" });
    expect(other).toMatchObject({ isError: true });
    expect(other.text).toContain("for the VM demo alone");
    expect((await mcp.client.listResources()).resources.map(({ uri }) => uri)).toEqual(["hype://vms/demo"]);
    expect(mcp.client.readResource({ uri: "hype://vms/other" })).rejects.toThrow();
  });

  test("a key sees its VMs and calls its tools", async () => {
    const key = newKey(server, { name: `reader-${era}`, scope: "read", restriction: { vms: ["demo"], labels: {} } });
    await using mcp = await connectClient(`${server.url}/mcp?tools=all`, era, { key });
    expect((await mcp.client.listTools()).tools.map(({ name }) => name)).not.toContain("browser_click");
    expect((await mcp.call("vm_list")).structured).toMatchObject({ vms: [{ name: "demo" }], total: 1 });
    const hidden = await mcp.call("vm_get", { vm: "other" });
    const absent = await mcp.call("vm_get", { vm: "nobody" });
    expect(hidden.text.replaceAll("other", "X")).toBe(absent.text.replaceAll("nobody", "X"));
    const forbidden = await mcp.call("vm_stop", { vm: "demo" });
    expect(forbidden).toMatchObject({ isError: true });
    expect(forbidden.text).toContain("no tool");
    expect(server.engine.calls.join()).not.toContain("stop");
    expect((await mcp.client.listResources()).resources.map(({ uri }) => uri)).toEqual([
      "hype://vms",
      "hype://vms/demo",
    ]);
    expect(mcp.client.readResource({ uri: "hype://vms/demo/console" })).rejects.toThrow();
  });

  test("deleting asks first: the person, or for confirm", async () => {
    const asked: string[] = [];
    let reply: object = { action: "decline" };
    server.engine.add("doomed");
    await using person = await connectClient(`${server.url}/mcp`, era, {
      capabilities: { elicitation: { form: {} } },
      prepare: (client) =>
        client.setRequestHandler("elicitation/create", ({ params }) => {
          asked.push(params.message);
          return reply as never;
        }),
    });
    expect((await person.call("vm_delete", { vm: "doomed" })).text).toContain("said no");
    expect(server.engine.rows.has("doomed")).toBe(true);
    reply = { action: "accept", content: { confirm: false } };
    expect((await person.call("vm_delete", { vm: "doomed" })).text).toContain("said no");
    expect(server.engine.rows.has("doomed")).toBe(true);
    reply = { action: "accept", content: { confirm: true } };
    expect((await person.call("vm_delete", { vm: "doomed" })).text).toBe("doomed is deleted");
    expect(asked).toHaveLength(3);
    expect(asked[0]).toContain("Delete the VM doomed");

    server.engine.add("doomed");
    await using alone = await connectClient(`${server.url}/mcp`, era);
    const unasked = await alone.call("vm_delete", { vm: "doomed" });
    expect(unasked.isError).toBe(true);
    expect(unasked.text).toContain("confirm: true");
    expect(server.engine.rows.has("doomed")).toBe(true);
    expect((await alone.call("vm_delete", { vm: "doomed", confirm: true })).isError).toBe(false);
    expect(server.engine.rows.has("doomed")).toBe(false);
  });

  test("tells how far a wait is, and ends with the caller", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    const vm = server.engine.add(`slow-${era}`, { status: "starting" });
    const told: string[] = [];
    const before = readers.count();
    const waiting = mcp.call(
      "vm_wait",
      { vm: vm.name },
      {
        onprogress: ({ message }) => {
          told.push(message ?? "");
          vm.status = "running";
          server.engine.emit("VM_RUNNING", vm);
        },
      },
    );
    await readers.until(before + 1);
    server.engine.emit("VM_BOOT_PROGRESS", vm);
    expect((await waiting).text).toContain("running");
    expect(told[0]).toContain("starting");

    vm.status = "starting";
    const stop = new AbortController();
    const cancelled = mcp.call("vm_wait", { vm: vm.name }, { signal: stop.signal });
    await readers.until(before + 1);
    stop.abort();
    await expect(cancelled).rejects.toThrow();
    await readers.until(before);
    server.engine.rows.delete(vm.name);
  });

  test("errors are for the model to read", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    for (const [name, args, words] of [
      ["vm_lst", {}, "Did you mean vm_list"],
      ["vm_get", {}, "vm: is required"],
      ["vm_get", { vm: "nobody" }, "Call vm_list"],
      ["vm_get", { vm: "demo", colour: "red" }, "colour: is not an argument"],
      ["browser_click", { vm: "demo", target: "e1" }, "guest_unreachable"],
      ["browser_navigate", { vm: "demo" }, "url: is required"],
    ] as const) {
      const said = await mcp.call(name, args);
      expect(said.isError, name).toBe(true);
      expect(said.text).toContain(words);
    }
  });

  test("resources are read and completed; prompts are given", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    const read = await mcp.client.readResource({ uri: "hype://vms/demo" });
    expect(JSON.parse((read.contents[0] as { text: string }).text)).toMatchObject({ name: "demo", status: "running" });
    expect((await mcp.client.listResourceTemplates()).resourceTemplates.length).toBe(5);
    const completed = await mcp.client.complete({
      ref: { type: "ref/resource", uri: "hype://vms/{name}" },
      argument: { name: "name", value: "de" },
    });
    expect(completed.completion.values).toEqual(["demo"]);
    await Bun.write(join(server.engine.logDir, "demo", "console.log"), "the kernel says hello\n");
    const console = await mcp.client.readResource({ uri: "hype://vms/demo/console" });
    expect(console.contents[0]).toMatchObject({
      mimeType: "text/plain",
      text: expect.stringContaining("the kernel says hello"),
    });
    for (const uri of ["hype://vms/nobody", "hype://vms/demo/secrets", "file:///etc/passwd", "hype://vms/../x"])
      await expect(mcp.client.readResource({ uri })).rejects.toThrow();
    const prompts = (await mcp.client.listPrompts()).prompts.map(({ name }) => name);
    expect(prompts).toEqual(["explore-site", "debug-page", "extract-data"]);
    const prompt = await mcp.client.getPrompt({
      name: "explore-site",
      arguments: { url: "https://example.com", vm: "demo" },
    });
    expect((prompt.messages[0]?.content as { text: string } | undefined)?.text).toContain("in the VM demo");
    await expect(mcp.client.getPrompt({ name: "explore-site", arguments: {} })).rejects.toThrow("url");
  });
});

let readers: ReturnType<typeof countReaders>;

describe("by hand", () => {
  const open = async (key?: string) => {
    const reply = await post(server, INITIALIZE, key ? { authorization: `Bearer ${key}` } : {});
    expect(reply.status).toBe(200);
    await reply.text();
    return reply.headers.get("mcp-session-id") ?? "";
  };
  const LIST = { jsonrpc: "2.0", id: 2, method: "tools/list" };

  test("no key: told where to get in", async () => {
    const reply = await fetch(`${server.url}/mcp`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(reply.status).toBe(401);
    const told = reply.headers.get("www-authenticate") ?? "";
    const where = /resource_metadata="([^"]+)"/.exec(told)?.[1] ?? "";
    const metadata = await (await fetch(where)).json();
    expect(metadata).toMatchObject({ resource: `${server.url}/mcp`, bearer_methods_supported: ["header"] });
  });

  test.each([
    ["a wrong Accept", { accept: "application/json" }, JSON.stringify(INITIALIZE), 406],
    ["a wrong type", { "content-type": "text/plain" }, JSON.stringify(INITIALIZE), 415],
    ["no JSON", {}, "{nonsense", 400],
    ["nothing", {}, "null", 400],
    ["nothing, in the modern era", { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" }, "null", 400],
    ["a word, in the modern era", { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" }, '"hello"', 400],
    ["no session", {}, JSON.stringify(LIST), 400],
    ["an unknown session", { "mcp-session-id": "nobody" }, JSON.stringify(LIST), 404],
    ["a strange origin", { origin: "https://evil.example" }, JSON.stringify(INITIALIZE), 403],
    ["a batch where there are none", { "mcp-protocol-version": "2025-11-25" }, JSON.stringify([LIST, LIST]), 400],
    ["too much", {}, JSON.stringify({ ...INITIALIZE, padding: "x".repeat(5_000_000) }), 413],
    [
      "an unknown era",
      { "mcp-protocol-version": "2099-01-01", "mcp-method": "tools/list" },
      JSON.stringify(modernWith("2099-01-01")),
      400,
    ],
    ["a header that is missing", {}, JSON.stringify(modern("tools/list")[0]), 400],
  ])("%s", async (_what, headers: Record<string, string>, body, status) => {
    const reply = await post(server, body, headers);
    expect(reply.status).toBe(status);
    expect((await reply.text()).length).toBeGreaterThan(0);
  });

  test("a session is its key's own, and over when it is deleted", async () => {
    const id = await open();
    const headers = { "mcp-session-id": id, "mcp-protocol-version": "2025-11-25" };
    const stranger = newKey(server, { name: "stranger" });
    expect((await post(server, LIST, { ...headers, authorization: `Bearer ${stranger}` })).status).toBe(404);
    expect((await post(server, LIST, headers)).status).toBe(200);
    expect((await post(server, LIST, { ...headers, "mcp-protocol-version": "1999-01-01" })).status).toBe(400);
    expect((await server.call("/mcp", { method: "DELETE", headers })).status).toBe(200);
    expect((await post(server, LIST, headers)).status).toBe(404);
  });

  test("a revoked key's streams end, and its session is over", async () => {
    const key = newKey(server, { name: "leaving" });
    const id = await open(key);
    const headers = { authorization: `Bearer ${key}`, "mcp-session-id": id, accept: "text/event-stream" };
    const stream = await server.call("/mcp", { headers });
    expect(stream.status).toBe(200);
    server.keys.revoke("leaving");
    await stream.text(); // ends
    expect((await post(server, LIST, headers)).status).toBe(401);
  });

  test("GET and DELETE without a session are not of this era", async () => {
    expect((await server.call("/mcp")).status).toBe(405);
    expect((await server.call("/mcp", { method: "DELETE" })).status).toBe(405);
    expect((await server.call("/mcp", { method: "PUT" })).status).toBe(405);
  });

  test("a VM that is not there, and a selection that is none", async () => {
    expect((await post(server, INITIALIZE, {}, "/mcp/vms/nobody")).status).toBe(404);
    const wrong = await post(server, INITIALIZE, {}, "/mcp?tools=nonsense");
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("must be default, all");
  });

  test("the modern era says how long lists hold, and answers an unknown method with 404", async () => {
    const listed = await (await post(server, ...modern("tools/list"))).json();
    expect(listed.result).toMatchObject({ resultType: "complete", ttlMs: 300_000, cacheScope: "private" });
    const names = listed.result.tools.map(({ name }: { name: string }) => name);
    const again = await (await post(server, ...modern("tools/list"))).json();
    expect(again.result.tools.map(({ name }: { name: string }) => name)).toEqual(names);
    const unknown = await post(server, ...modern("nonsense/do"));
    expect(unknown.status).toBe(404);
    expect((await unknown.json()).error.code).toBe(-32_601);
  });

  test("a call that changes something is audited by its tool, others are not, and no line holds the key", async () => {
    server.engine.add("watched");
    const key = newKey(server, { name: "noted" });
    for (const [name, args] of [
      ["vm_list", {}],
      ["vm_pause", { vm: "watched" }],
    ] as const) {
      const [body, headers] = modern("tools/call", { name, arguments: args });
      expect((await post(server, body, { ...headers, authorization: `Bearer ${key}` })).status).toBe(200);
    }
    const { items } = await (await server.call("/api/v1/audit?key=noted")).json();
    expect(items).toMatchObject([{ path: "/mcp/tools/vm_pause", vm: "watched", status: 200 }]);
    expect(server.lines.join("\n")).not.toContain(KEY);
  });
});

function modernWith(version: string): object {
  const [body] = modern("tools/list");
  return JSON.parse(JSON.stringify(body).replaceAll("2026-07-28", version));
}
