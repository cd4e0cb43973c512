import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { ERRORS, HypeError, type VmEvent } from "../../src/contract/index.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

let server: TestServer;
let client: Client;
beforeEach(() => {
  server = startTestServer();
  client = connect({ base: `${server.url}/`, key: KEY });
  server.engine.add("demo");
  server.engine.guests.set("demo", {
    evaluate: async () => ({ tab: "T", type: "string", value: "2024-01-01T00:00:00.000Z", description: null }),
    navigate: async ({ url }: { url: string }) => ({ tab: "T", url, title: "t", status: 200 }),
    content: async () => ({ tab: "T", url: "about:blank", title: "", format: "text", content: "42" }),
    tabs: async () => ({ items: [{ id: "T", url: "about:blank", title: "" }] }),
    screenshot: async () => ({ bytes: new Uint8Array([137, 80, 78, 71, 0, 255]), contentType: "image/png" }),
    logs: async () => "agent line\n",
  } as never);
});
afterEach(() => server[Symbol.asyncDispose]());

/** The code a call fails with. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (thrown) {
    return thrown instanceof HypeError ? thrown.code : `not a HypeError: ${String(thrown)}`;
  }
}

describe("calls", () => {
  test("every call of the surface comes back typed as the contract says", async () => {
    expect((await client.vms.list({ limit: "1" })).items[0]?.name).toBe("demo");
    const created = await client.vms.create({ name: "web", labels: { a: "b" } });
    expect(created).toMatchObject({ name: "web", cpu_cores: 1, labels: { a: "b" } });
    expect(created.created_at).toBeString(); // Eden would make a Date of it
    expect((await client.vms.get("web")).name).toBe("web");
    for (const act of ["start", "stop", "restart"] as const) expect((await client.vms[act]("web")).name).toBe("web");
    await client.vms.stop("web", { force: true, wait: false });
    expect((await client.vms.pause("web")).name).toBe("web");
    expect(await codeOf(client.vms.resume("web"))).toBe("vm_state_conflict");
    expect(await client.vms.delete("web")).toBeUndefined();
    expect((await client.vms.cdpToken("demo", { ttl_seconds: 60 })).ws_url).toContain("/api/v1/vms/demo/cdp?token=");
    expect((await client.browser.evaluate("demo", { expression: "1" })).value).toBe("2024-01-01T00:00:00.000Z");
    expect((await client.browser.navigate("demo", { url: "about:blank" })).status).toBe(200);
    expect((await client.browser.content("demo")).content).toBe("42");
    expect((await client.browser.tabs("demo")).items).toHaveLength(1);
    expect(await client.browser.screenshot("demo")).toEqual(new Uint8Array([137, 80, 78, 71, 0, 255]));
    expect((await client.events.list({ after: 0, limit: 1 })).next).toBe(1);
    expect((await client.system.status()).version).toBe("0.1.0");
    expect((await client.images.list()).items[0]?.is_default).toBe(true);
    expect((await client.images.get("0123456789abcdef")).manifest.schema).toBe(1);
    expect(await client.version()).toBe("0.1.0");
    expect(await client.health()).toBe(true);
    expect(server.engine.calls).toContain('stop web {"wait":false,"force":true}');
  });

  test("wait: false reaches the server", async () => {
    await client.vms.create({ name: "later" }, { wait: false });
    expect(server.engine.calls).toContain("create later false");
  });

  test("in process: the app's own handler carries the requests", async () => {
    const local = connect({ base: "http://localhost", key: KEY, fetch: (request) => server.app.handle(request) });
    expect((await local.vms.get("demo")).name).toBe("demo");
  });
});

describe("failures", () => {
  test("a problem document keeps code, message, details and issues", async () => {
    const call = client.vms.create({ name: "Bad", cpu_cores: 0 });
    await expect(call).rejects.toMatchObject({
      code: "invalid_request",
      details: { issues: [{ path: "name" }, { path: "cpu_cores", message: "must be at least 1" }] },
    });
    await expect(client.vms.create({ name: "big", memory_mb: 200_000 })).rejects.toMatchObject({
      code: "insufficient_memory",
      message: "the host has less",
      details: { wanted_mb: 200_000 },
    });
    await expect(client.vms.create({ name: "broken" })).rejects.toMatchObject({
      code: "internal",
      details: { ref: expect.stringMatching(/^[0-9a-f]{8}$/) },
    });
  });

  const table: [name: string, call: () => Promise<unknown>, code: keyof typeof ERRORS][] = [
    ["no such VM", () => client.vms.get("nobody"), "vm_not_found"],
    ["a name that is a path", () => client.vms.get("../../healthz"), "invalid_request"],
    ["a name with a query", () => client.vms.delete("demo?x=1"), "invalid_request"],
    ["a wrong key", () => connect({ base: server.url, key: "wrong" }).vms.list(), "unauthorized"],
    ["no key", () => connect({ base: server.url, key: null }).vms.list(), "unauthorized"],
    ["aborted before", () => client.vms.list({}, { signal: AbortSignal.abort() }), "cancelled"],
    ["screenshot of nobody", () => client.browser.screenshot("nobody"), "vm_not_found"],
    ["logs of nobody", () => Array.fromAsync(client.vms.logs("nobody")), "vm_not_found"],
  ];
  for (const [name, call, code] of table) test(name, async () => expect(await codeOf(call())).toBe(code));

  test("no server: the address is named", async () => {
    const gone = server.url;
    await server[Symbol.asyncDispose]();
    const call = connect({ base: gone, key: KEY }).vms.list();
    await expect(call).rejects.toMatchObject({ code: "server_unreachable", message: expect.stringContaining(gone) });
    expect(await codeOf(Array.fromAsync(connect({ base: gone, key: KEY }).events.stream()))).toBe("server_unreachable");
  });

  test("something that is not a hype server", async () => {
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("<h1>hi", { status: 404 }) });
    await expect(connect({ base: other.url.href, key: KEY }).vms.list()).rejects.toMatchObject({
      code: "server_unreachable",
      message: expect.stringContaining("is it a hype server?"),
    });
    await other.stop(true);
  });

  test("aborted while it waits", async () => {
    const stop = new AbortController();
    const call = client.vms.create({ name: "slow" }, { signal: stop.signal });
    while (!server.engine.calls.includes("create slow true")) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await codeOf(call)).toBe("cancelled");
    server.engine.boot.resolve();
  });
});

describe("streams", () => {
  test("logs: the end of the file, then what is added, until aborted", async () => {
    mkdirSync(join(server.engine.logDir, "demo"), { recursive: true });
    const file = server.engine.logFiles("demo").console;
    writeFileSync(file, "one\ntwo\n");
    expect((await Array.fromAsync(client.vms.logs("demo", { tail: 1 }))).join("")).toBe("two\n");
    expect((await Array.fromAsync(client.vms.logs("demo", { source: "agent" }))).join("")).toBe("agent line\n");
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const piece of client.vms.logs("demo", { follow: true, signal: stop.signal })) {
        seen.push(piece);
        if (seen.join("").endsWith("two\n")) appendFileSync(file, "three\n");
        if (seen.join("").endsWith("three\n")) stop.abort();
      }
    })();
    expect(await codeOf(following)).toBe("cancelled");
    expect(seen.join("")).toBe("one\ntwo\nthree\n");
  });

  test("events: in order, and over the restart of a server without a gap", async () => {
    const port = Number(new URL(server.url).port);
    const stop = new AbortController();
    const seen: VmEvent[] = [];
    let arrived = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const event of client.events.stream({ after: 0, signal: stop.signal })) {
        seen.push(event);
        arrived.resolve();
        arrived = Promise.withResolvers();
      }
    })();
    const until = async (count: number) => {
      while (seen.length < count) await arrived.promise;
    };
    await until(1);
    server.shutDown.abort();
    await server.app.server?.stop(true);
    server.engine.add("made-while-away");
    await using second = startTestServer({ context: { engine: server.engine }, port });
    second.engine.add("not-this-engine");
    await until(2);
    server.engine.add("after");
    await until(3);
    stop.abort();
    await reading;
    expect(seen.map(({ seq, vm_name }) => [seq, vm_name])).toEqual([
      [1, "demo"],
      [2, "made-while-away"],
      [3, "after"],
    ]);
  });

  test("events: a refusal is an error, not a retry", async () => {
    const stranger = connect({ base: server.url, key: "wrong" });
    expect(await codeOf(Array.fromAsync(stranger.events.stream()))).toBe("unauthorized");
  });
});
