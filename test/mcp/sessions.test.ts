import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS, INITIALIZE, modern, ownDoor, post } from "./world.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("over the cap the session that was idle longest makes room", async () => {
  const { sessions, open, list } = ownDoor({ most: 2 });
  const [first, second] = [await open(), await open()];
  expect(await list(first)).toBe(200);
  const third = await open();
  expect(sessions.size).toBe(2);
  expect(await list(second)).toBe(404);
  expect([await list(first), await list(third)]).toEqual([200, 200]);
  sessions.end();
  expect(sessions.size).toBe(0);
});

test("a key makes room for its own by its own, and none takes the room of others", async () => {
  const { sessions, open, list } = ownDoor({ most: 4, mostOfKey: 3 });
  const [many, few] = [{}, {}];
  const mine = await open(few);
  const theirs = [await open(many), await open(many), await open(many), await open(many)];
  expect(sessions.size).toBe(4);
  expect(await list(mine, few)).toBe(200);
  expect(await Promise.all(theirs.map((id) => list(id, many)))).toEqual([404, 200, 200, 200]);
  const third = await open({}); // the house is full: whoever has most makes room
  expect([await list(mine, few), await list(third, {})]).toEqual([200, 404]);
  expect(await Promise.all(theirs.map((id) => list(id, many)))).toEqual([404, 404, 200, 200]);
  sessions.end();
});

test("a key whose sessions are all busy is refused, others are let in", async () => {
  const { sessions, open, listen } = ownDoor({ most: 4, mostOfKey: 2 });
  const [busy, other] = [{}, {}];
  for (const id of [await open(busy), await open(busy)]) expect((await listen(id, busy)).status).toBe(200);
  expect(await open(busy)).toBe("");
  expect(await open(other)).not.toBe("");
  expect(sessions.size).toBe(3);
  sessions.end();
});

test("a session is not idle while it works or listens, and its time begins anew after that", async () => {
  const [work, begun] = [Promise.withResolvers<object>(), Promise.withResolvers<void>()];
  const { sessions, open, list, ask, listen } = ownDoor({
    idleMs: 1_000,
    handlers: { "resources/read": () => (begun.resolve(), work.promise) },
  });
  const [working, listening] = [await open(), await open()];
  const stream = await listen(listening);
  const reading = ask({ jsonrpc: "2.0", id: 5, method: "resources/read", params: { uri: "hype://vms" } }, working);
  await begun.promise;
  sessions.sweep(performance.now() + 5_000);
  expect(sessions.size).toBe(2);
  await stream.body?.cancel();
  sessions.sweep(performance.now() + 5_000);
  expect(await list(listening)).toBe(404);
  const before = performance.now();
  work.resolve({ contents: [] });
  expect((await reading).status).toBe(200);
  sessions.sweep(before + 999);
  expect(await list(working)).toBe(200);
  sessions.sweep(performance.now() + 1_001);
  expect(await list(working)).toBe(404);
});

test("what nobody uses is over after its time", async () => {
  const { sessions, open, list } = ownDoor({ idleMs: 1_000 });
  const id = await open();
  sessions.sweep(performance.now() + 500);
  expect(await list(id)).toBe(200);
  sessions.sweep(performance.now() + 1_500);
  expect(await list(id)).toBe(404);
  expect(sessions.size).toBe(0);
});

test("an initialize that is none leaves no session", async () => {
  const { sessions, list } = ownDoor({ idleMs: 1_000 });
  expect(await list("nobody")).toBe(404);
  expect(sessions.size).toBe(0);
});

test("the server's end ends every session", async () => {
  const { sessions, open, closing } = ownDoor({ idleMs: 1_000 });
  await open();
  closing.abort();
  expect(sessions.size).toBe(0);
});

test("where there are no sessions, clients of one key are told apart by what they call themselves", async () => {
  const { send, callers } = ownDoor();
  for (const name of ["one", "two", "one", null, "x".repeat(10_000)]) {
    const [body, headers] = modern("tools/list");
    const { params } = body as { params: { _meta: Record<string, unknown> } };
    if (name !== null) params._meta["io.modelcontextprotocol/clientInfo"] = { name, version: "1" };
    await (await send(body, headers)).text();
  }
  expect(callers[0]).toBe(callers[2]);
  expect(new Set(callers).size).toBe(4);
  expect(Math.max(...callers.map(({ length }) => length))).toBeLessThan(200);
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

test.each(ERAS)("who listens in era %s is told that VMs came and went", async (era) => {
  await using mcp = await connectClient(`${server.url}/mcp`, era);
  const changed = Promise.withResolvers<void>();
  mcp.client.setNotificationHandler("notifications/resources/list_changed", () => changed.resolve());
  if (era === "auto") await mcp.client.listen({ resourcesListChanged: true });
  const vm = server.engine.add(`came-${era}`);
  const tick = setInterval(() => server.engine.emit("VM_CREATED", vm), 20);
  await changed.promise;
  clearInterval(tick);
});

test("who unsubscribed is told no more", async () => {
  for (const name of ["dull", "loud"]) server.engine.add(name);
  await using mcp = await connectClient(`${server.url}/mcp`, "legacy");
  const told: string[] = [];
  let last = Promise.withResolvers<void>();
  mcp.client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    told.push(params.uri);
    if (params.uri.endsWith("loud")) last.resolve();
  });
  const round = async () => {
    last = Promise.withResolvers();
    for (const name of ["dull", "loud"]) server.engine.emit("VM_RUNNING", server.engine.get(name));
    await last.promise;
  };
  for (const name of ["dull", "loud"]) await mcp.client.subscribeResource({ uri: `hype://vms/${name}` });
  const tick = setInterval(() => server.engine.emit("VM_RUNNING", server.engine.get("loud")), 20);
  await last.promise; // the stream is open
  clearInterval(tick);
  await round();
  expect(told).toContain("hype://vms/dull");
  await mcp.client.unsubscribeResource({ uri: "hype://vms/dull" });
  told.length = 0;
  await round();
  expect(told).not.toContain("hype://vms/dull");
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
