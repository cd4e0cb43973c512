import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { HypeError } from "../../src/contract/index.ts";
import { bounded } from "../../src/mcp/stream.ts";
import { startTestServer } from "../server/harness.ts";
import { connectClient, countReaders, ERAS, INITIALIZE, modern, newKey, ownDoor, post } from "./world.ts";

/** How what is under way ends: by the server, the key, the client, a reader that does not read. */

setDefaultTimeout(30_000);

describe.each(ERAS)("a call under way, era %s", (era) => {
  /** One that waits, and has begun to. */
  async function waiting(key?: string) {
    const server = startTestServer();
    const readers = countReaders(server.engine);
    server.engine.add("slow", { status: "starting" });
    const minted = key && newKey(server, { name: key });
    const mcp = await connectClient(`${server.url}/mcp`, era, minted ? { key: minted } : {});
    const before = readers.count();
    const told: string[] = [];
    const call = mcp.call("vm_wait", { vm: "slow" }, { onprogress: ({ message }) => void told.push(message ?? "") });
    await readers.until(before + 1);
    const end = async () => {
      await mcp.client.close().catch(() => {});
      await server[Symbol.asyncDispose]();
    };
    return { server, call, [Symbol.asyncDispose]: end };
  }

  test("is told of the server's end", async () => {
    await using it = await waiting();
    it.server.shutDown.abort(new HypeError("shutting_down", "the server is shutting down"));
    const said = await it.call;
    expect(said.isError).toBe(true);
    expect(said.text).toContain("Error (shutting_down)");
    expect(said.text).toContain("call again");
  });

  test("is told so as well where it told of its progress", async () => {
    await using it = await waiting();
    it.server.engine.emit("VM_BOOT_PROGRESS", it.server.engine.get("slow"));
    it.server.shutDown.abort(new HypeError("shutting_down", "the server is shutting down"));
    expect((await it.call).text).toContain("Error (shutting_down)");
  });

  test("is told of the end of its key", async () => {
    await using it = await waiting("leaving");
    it.server.keys.revoke("leaving");
    const said = await it.call;
    expect(said.isError).toBe(true);
    expect(said.text).toContain("Error (unauthorized)");
  });
});

describe("what does not end by itself", () => {
  const stuck = () => {
    const begun = Promise.withResolvers<void>();
    const handle = () => (begun.resolve(), new Promise<object>(() => {}));
    return { begun: begun.promise, ...ownDoor({ handlers: { "resources/read": handle } }) };
  };
  const READ = { uri: "hype://vms" };

  test("is answered all the same, in a session", async () => {
    const { open, ask, closing, begun } = stuck();
    const id = await open();
    const reply = ask({ jsonrpc: "2.0", id: 31, method: "resources/read", params: READ }, id);
    await begun;
    closing.abort(new HypeError("shutting_down", "the server is shutting down"));
    const { text } = await reply;
    expect(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "")).toMatchObject({
      id: 31,
      error: { code: -32_000, message: "the server is shutting down" },
    });
  });

  test("is answered all the same, without one", async () => {
    const { send, closing, begun } = stuck();
    const [body, headers] = modern("resources/read", READ);
    const reply = send(body, headers);
    await begun;
    closing.abort(new HypeError("shutting_down", "the server is shutting down"));
    const said = await reply;
    expect(said.status).toBe(503);
    expect(await said.json()).toMatchObject({
      id: 1,
      error: { code: -32_000, message: "the server is shutting down" },
    });
  });
});

describe("ids", () => {
  const call = (id: number) => ({ jsonrpc: "2.0", id, method: "resources/read", params: { uri: "hype://vms" } });
  const held = () => {
    const work = Promise.withResolvers<object>();
    return { work, door: ownDoor({ handlers: { "resources/read": () => work.promise } }) };
  };

  test("one that is not answered yet is taken once", async () => {
    const { work, door } = held();
    const id = await door.open();
    const first = door.ask(call(9), id);
    const second = await door.ask(call(9), id);
    expect(second.status).toBe(400);
    expect(JSON.parse(second.text).error).toMatchObject({ code: -32_600 });
    work.resolve({ contents: [] });
    expect((await first).text).toContain('"id":9');
    expect((await door.ask(call(9), id)).status).toBe(200); // answered: free again
    door.sessions.end();
  });

  test("that of a cancelled call is free, and its stream ends", async () => {
    const { work, door } = held();
    const id = await door.open();
    const first = door.ask(call(9), id);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } };
    expect((await door.ask(cancel, id)).status).toBe(202);
    expect((await first).text).not.toContain('"id":9');
    work.resolve({ contents: [] });
    expect((await door.ask(call(9), id)).text).toContain('"id":9');
    door.sessions.end();
  });

  test("twice in a batch is one time too many, and a batch is for those who agreed on a revision with batches", async () => {
    const { work, door } = held();
    work.resolve({ contents: [] });
    const old = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: "2025-03-26" } };
    const id = (await door.ask(old)).headers.get("mcp-session-id") ?? "";
    expect((await door.ask([call(1), call(1)], id)).status).toBe(400);
    const both = await door.ask([call(1), call(2)], id);
    expect(both.text).toContain('"id":1');
    expect(both.text).toContain('"id":2');
    const today = await door.ask([call(1), call(2)], await door.open());
    expect(today.status).toBe(400);
    expect(today.text).toContain("knows no batches");
    door.sessions.end();
  });
});

describe("a reader that does not read", () => {
  /** Says as much as is taken. */
  const endless = (gone: () => void) =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: gone,
      }),
      { headers: { "content-type": "text/event-stream" } },
    );

  test("is cut, and the source is told", async () => {
    const [gone, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { body } = bounded(endless(gone.resolve), { onEnd: ended.resolve });
    await Promise.all([gone.promise, ended.promise]);
    expect(new Response(body).arrayBuffer()).rejects.toThrow("does not read");
  });

  test("one long message is not too much, and a source that breaks off is told of once", async () => {
    let count = 0;
    const long = new Response(new Blob([new Uint8Array(16 << 20)]).stream());
    const { body } = bounded(long, { onEnd: () => count++ });
    expect((await new Response(body).arrayBuffer()).byteLength).toBe(16 << 20);
    const broken = new Response(
      new ReadableStream({
        pull() {
          throw new Error("broke off");
        },
      }),
    );
    await expect(new Response(bounded(broken, { onEnd: () => count++ }).body).text()).rejects.toThrow("broke off");
    expect(count).toBe(2);
  });

  test("holds no session for ever", async () => {
    const told = Promise.withResolvers<void>();
    const begin = Promise.withResolvers<void>();
    const events = async function* () {
      await begin.promise;
      for (let at = 0; at < 80_000; at++) {
        yield { type: "VM_CREATED" as const, vm_name: "demo" };
        if (at % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      told.resolve();
      await new Promise(() => {});
    };
    const { sessions, open, listen, list, closing } = ownDoor({ idleMs: 1_000, events });
    const id = await open();
    const stream = await listen(id);
    begin.resolve();
    await told.promise;
    sessions.sweep(performance.now() + 5_000);
    expect(await list(id)).toBe(404);
    expect(stream.text()).rejects.toThrow("does not read");
    closing.abort();
  });
});

test("a VM of the address that is gone is told of by the call, hidden ones alike", async () => {
  await using server = startTestServer();
  server.engine.add("demo");
  server.engine.add("theirs");
  const key = newKey(server, { name: "narrow", restriction: { vms: ["demo"], labels: {} } });
  const call = async (vm: string) => {
    const [body, headers] = modern("tools/call", { name: "vm_get", arguments: {} });
    const reply = await post(server, body, { ...headers, authorization: `Bearer ${key}` }, `/mcp/vms/${vm}`);
    return { status: reply.status, result: (await reply.json()).result };
  };
  for (const era of ERAS) {
    server.engine.add(`brief-${era}`);
    await using mcp = await connectClient(`${server.url}/mcp/vms/brief-${era}`, era);
    expect((await mcp.call("vm_get")).text).toContain("running");
    server.engine.rows.delete(`brief-${era}`);
    const said = await mcp.call("vm_get");
    expect(said).toMatchObject({ isError: true });
    expect(said.text).toContain("Error (vm_not_found)");
  }
  const [hidden, absent] = [await call("theirs"), await call("nobody")];
  expect(hidden.status).toBe(200);
  expect(hidden.result.content[0].text.replaceAll("theirs", "X")).toBe(
    absent.result.content[0].text.replaceAll("nobody", "X"),
  );
  expect((await call("demo")).result.isError ?? false).toBe(false);
  expect((await post(server, INITIALIZE, { authorization: `Bearer ${key}` }, "/mcp/vms/theirs")).status).toBe(404);
});
