import { expect, test } from "bun:test";
import { Bridge } from "../../src/cli/mcp/bridge.ts";
import { HypeError } from "../../src/contract/index.ts";
import { countReaders, INITIALIZE, modern } from "../mcp/world.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

/** What `hype mcp` does on the wire, line by line, against the real server. */

type Line = { id?: unknown; method?: string; result?: any; error?: { code: number; message: string }; params?: any };

function bridge(url: string) {
  const input = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: Infinity });
  const writer = input.writable.getWriter();
  const said: Line[] = [];
  const notes: string[] = [];
  let changed = Promise.withResolvers<void>();
  const stop = new AbortController();
  const run = new Bridge({
    url,
    key: KEY,
    input: input.readable,
    write: async (line) => {
      said.push(JSON.parse(line) as Line);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    note: (text) => void notes.push(text),
    signal: stop.signal,
  }).run();
  const send = (message: unknown) =>
    void writer.write(new TextEncoder().encode(`${typeof message === "string" ? message : JSON.stringify(message)}\n`));
  const until = async (is: (line: Line) => boolean): Promise<Line> => {
    for (;;) {
      const found = said.find(is);
      if (found) return found;
      await changed.promise;
    }
  };
  const answer = (id: unknown) => until((line) => line.id === id && line.method === undefined);
  return {
    send,
    until,
    answer,
    said,
    notes,
    async open(capabilities: object = {}) {
      send({ ...INITIALIZE, id: "hello", params: { ...INITIALIZE.params, capabilities } });
      await answer("hello");
      send({ jsonrpc: "2.0", method: "notifications/initialized" });
    },
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await run;
    },
  };
}
const call = (id: unknown, name: string, args: object = {}, meta: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, _meta: meta },
});
const modernCall = (id: unknown, name: string, args: object = {}) => ({
  ...modern("tools/call", { name, arguments: args })[0],
  id,
});
const textOf = (line: Line): string => line.result?.content?.[0]?.text ?? "";

/** A server with a VM that comes up for ever. */
function slowServer(): { server: TestServer; readers: ReturnType<typeof countReaders> } {
  const server = startTestServer();
  server.engine.add("slow", { status: "starting" });
  return { server, readers: countReaders(server.engine) };
}

test.each(["null", "7", '"hello"', "true"])("the line %s is answered, and the next one as well", async (line) => {
  await using server = startTestServer();
  await using it = bridge(`${server.url}/mcp`);
  it.send(line);
  expect(await it.answer(null)).toMatchObject({ error: { code: -32_600 } });
  it.send(modernCall(2, "vm_list"));
  expect(textOf(await it.answer(2))).toContain("no VMs");
});

test("a message that is too long is answered by its id, wherever that stands", async () => {
  await using server = startTestServer();
  await using it = bridge(`${server.url}/mcp`);
  const long = call(5, "vm_get", { vm: "x".repeat(5_000_000) });
  const { id: _id, ...rest } = long;
  it.send(long);
  expect(await it.answer(5)).toMatchObject({ error: { code: -32_600 } });
  it.send({ ...rest, id: 6 });
  expect(await it.answer(6)).toMatchObject({ error: { code: -32_600 } });
  it.send(modernCall(7, "vm_list"));
  expect((await it.answer(7)).error).toBeUndefined();
});

test.each(["legacy", "modern"])("a call under way at the server's end is answered, era %s", async (era) => {
  const { server, readers } = slowServer();
  await using _server = server;
  await using it = bridge(`${server.url}/mcp`);
  if (era === "legacy") await it.open();
  const before = readers.count();
  const wait = call(9, "vm_wait", { vm: "slow" }, { progressToken: 1 });
  const { params } = modernCall(9, "vm_wait", { vm: "slow" }) as unknown as { params: { _meta: object } };
  it.send(era === "legacy" ? wait : { ...wait, params: { ...params, _meta: { ...params._meta, progressToken: 1 } } });
  await readers.until(before + 1);
  server.engine.emit("VM_BOOT_PROGRESS", server.engine.get("slow"));
  const told = await it.until(({ method }) => method === "notifications/progress");
  expect(told.params).toMatchObject({ progressToken: 1, message: "slow is starting" });
  server.shutDown.abort(new HypeError("shutting_down", "the server is shutting down"));
  expect(textOf(await it.answer(9))).toContain("Error (shutting_down)");
});

test("a stream that ends without the answer is an error, not silence", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () =>
      new Response('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n', {
        headers: { "content-type": "text/event-stream" },
      }),
  });
  await using it = bridge(`http://127.0.0.1:${server.port}/mcp`);
  it.send(modernCall(1, "vm_list"));
  expect((await it.answer(1)).error).toMatchObject({ code: -32_000, message: expect.stringContaining("went away") });
  it.send([call(2, "vm_list"), call(3, "vm_list")]);
  await it.answer(2);
  expect((await it.answer(3)).error).toMatchObject({ code: -32_000 });
  await server.stop(true);
});

test.each(["legacy", "modern"])("what is cancelled ends on the server and is not answered, era %s", async (era) => {
  const { server, readers } = slowServer();
  await using _server = server;
  await using it = bridge(`${server.url}/mcp`);
  if (era === "legacy") await it.open();
  const before = readers.count();
  it.send(era === "legacy" ? call(9, "vm_wait", { vm: "slow" }) : modernCall(9, "vm_wait", { vm: "slow" }));
  await readers.until(before + 1);
  it.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } });
  await readers.until(before);
  it.send(era === "legacy" ? call(10, "vm_list") : modernCall(10, "vm_list"));
  await it.answer(10);
  expect(it.said.filter(({ id }) => id === 9)).toEqual([]);
});

test("a person is asked through it", async () => {
  await using server = startTestServer();
  server.engine.add("doomed");
  await using it = bridge(`${server.url}/mcp`);
  await it.open({ elicitation: { form: {} } });
  it.send(call(3, "vm_delete", { vm: "doomed" }));
  const asked = await it.until(({ method }) => method === "elicitation/create");
  expect(asked.params.message).toContain("Delete the VM doomed");
  it.send({ jsonrpc: "2.0", id: asked.id, result: { action: "accept", content: { confirm: true } } });
  expect(textOf(await it.answer(3))).toBe("doomed is deleted");
});

test("after a restart subscriptions go on, though the client calls nothing", async () => {
  const first = startTestServer();
  first.engine.add("demo");
  const port = Number(new URL(first.url).port);
  await using it = bridge(`${first.url}/mcp`);
  await it.open();
  it.send({ jsonrpc: "2.0", id: 2, method: "resources/subscribe", params: { uri: "hype://vms/demo" } });
  await it.answer(2);
  await first[Symbol.asyncDispose]();
  await using second = startTestServer({ port });
  const vm = second.engine.add("demo");
  it.said.length = 0;
  const tick = setInterval(() => second.engine.emit("VM_RUNNING", vm), 50);
  const told = await it.until(({ method }) => method === "notifications/resources/updated");
  clearInterval(tick);
  expect(told.params.uri).toBe("hype://vms/demo");
  expect(it.notes).toContain("the server was restarted; the session goes on");
});

test("a VM that is gone is said to be gone, not the server", async () => {
  await using server = startTestServer();
  server.engine.add("brief");
  await using it = bridge(`${server.url}/mcp/vms/brief`);
  await it.open();
  server.engine.rows.delete("brief");
  it.send(call(2, "vm_get"));
  expect(textOf(await it.answer(2))).toContain("Error (vm_not_found)");
  await using late = bridge(`${server.url}/mcp/vms/brief`);
  late.send(INITIALIZE);
  const { error } = await late.answer(INITIALIZE.id);
  expect(error?.message).toContain("brief");
  expect(error?.message).not.toContain("no hype server answers");
});

test("a VM that is gone since the server was restarted is said to be gone, too", async () => {
  const first = startTestServer();
  first.engine.add("brief");
  const port = Number(new URL(first.url).port);
  await using it = bridge(`${first.url}/mcp/vms/brief`);
  await it.open();
  await first[Symbol.asyncDispose]();
  await using _second = startTestServer({ port });
  it.send(call(2, "vm_get"));
  const { error } = await it.answer(2);
  expect(error?.message).toContain("brief");
  expect(error?.message).not.toContain("no hype server answers");
});
