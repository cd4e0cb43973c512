import { afterAll, beforeAll, expect, test } from "bun:test";
import { createLog } from "../../src/log/log.ts";
import { McpDoor } from "../../src/mcp/door.ts";
import { Sessions } from "../../src/mcp/sessions.ts";
import type { Visit } from "../../src/mcp/visit.ts";
import { houseFor } from "../../src/server/house.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS, INITIALIZE, post } from "./world.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A door of its own, so that its bounds can be small. */
function door(most: number, idleMs: number) {
  const closing = new AbortController();
  const sessions = new Sessions(most, idleMs);
  const log = createLog({ level: "error", write: () => {} });
  const it = new McpDoor({ log, closing: closing.signal, maxBodyBytes: 1e6, sessions });
  const visit: Visit = {
    key: {},
    keyId: "test",
    scope: "admin",
    house: { events: async function* () {} } as unknown as ReturnType<typeof houseFor>,
    ended: closing.signal,
    client: null,
    vm: null,
    selection: ["default"],
  };
  const ask = async (body: object, session?: string) => {
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session !== undefined && { "mcp-session-id": session }),
    };
    const request = new Request("http://localhost/mcp", { method: "POST", headers, body: JSON.stringify(body) });
    const reply = await it.handle(request, body, visit);
    await reply.text();
    return reply;
  };
  const open = async () => (await ask(INITIALIZE)).headers.get("mcp-session-id") ?? "";
  return {
    sessions,
    open,
    list: async (id: string) => (await ask({ jsonrpc: "2.0", id: 9, method: "tools/list" }, id)).status,
    closing,
  };
}

test("over the cap the session that was idle longest makes room", async () => {
  const { sessions, open, list } = door(2, 60_000);
  const [first, second] = [await open(), await open()];
  expect(await list(first)).toBe(200);
  const third = await open();
  expect(sessions.size).toBe(2);
  expect(await list(second)).toBe(404);
  expect([await list(first), await list(third)]).toEqual([200, 200]);
  sessions.end();
  expect(sessions.size).toBe(0);
});

test("what nobody uses is over after its time", async () => {
  const { sessions, open, list } = door(10, 1_000);
  const id = await open();
  sessions.sweep(performance.now() + 500);
  expect(await list(id)).toBe(200);
  sessions.sweep(performance.now() + 1_500);
  expect(await list(id)).toBe(404);
  expect(sessions.size).toBe(0);
});

test("an initialize that is none leaves no session", async () => {
  const { sessions, list } = door(10, 1_000);
  expect(await list("nobody")).toBe(404);
  expect(sessions.size).toBe(0);
});

test("the server's end ends every session", async () => {
  const { sessions, open, closing } = door(10, 1_000);
  await open();
  closing.abort();
  expect(sessions.size).toBe(0);
});

test.each(ERAS)("subscribers of era %s are told of their VM, by the event", async (era) => {
  server.engine.add(`seen-${era}`);
  await using mcp = await connectClient(`${server.url}/mcp`, era);
  const uri = `hype://vms/seen-${era}`;
  const updated = Promise.withResolvers<string>();
  mcp.client.setNotificationHandler("notifications/resources/updated", ({ params }) => updated.resolve(params.uri));
  if (era === "legacy") {
    await mcp.client.subscribeResource({ uri });
    await mcp.client.ping();
  } else await mcp.client.listen({ resourceSubscriptions: [uri] });
  const tick = setInterval(() => server.engine.emit("VM_RUNNING", server.engine.get(`seen-${era}`)), 20);
  expect(await updated.promise).toBe(uri);
  clearInterval(tick);
});

test("a restricted key is told of no other's VM", async () => {
  server.engine.add("mine");
  const other = server.engine.add("theirs");
  const { key } = server.keys.create({
    name: "narrow",
    scope: "read",
    restriction: { vms: ["mine"], labels: {} },
    expires_at: null,
    rate_per_minute: null,
  });
  await using mcp = await connectClient(`${server.url}/mcp`, "auto", { key });
  const told: string[] = [];
  const mine = Promise.withResolvers<void>();
  mcp.client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    told.push(params.uri);
    if (params.uri.endsWith("mine")) mine.resolve();
  });
  await mcp.client.listen({ resourceSubscriptions: ["hype://vms/mine", "hype://vms/theirs"] });
  server.engine.emit("VM_STOPPED", other);
  server.engine.emit("VM_RUNNING", server.engine.get("mine"));
  await mine.promise;
  expect(told).toEqual(["hype://vms/mine"]);
});

test("a restarted server is gone on with: at once in the modern era, after initialize in the other", async () => {
  const first = startTestServer();
  first.engine.add("demo");
  const port = Number(new URL(first.url).port);
  await using mcp = await connectClient(`${first.url}/mcp`, "auto");
  expect((await mcp.call("vm_list")).text).toContain("demo");
  const opened = await post(first, INITIALIZE);
  const id = opened.headers.get("mcp-session-id") ?? "";
  await first[Symbol.asyncDispose]();
  await expect(mcp.call("vm_list")).rejects.toThrow();
  await using second = startTestServer({ port });
  second.engine.add("again");
  expect((await mcp.call("vm_list")).text).toContain("again");
  const late = await post(second, { jsonrpc: "2.0", id: 2, method: "tools/list" }, { "mcp-session-id": id });
  expect(late.status).toBe(404);
  expect(await late.text()).toContain("Initialize anew");
});
