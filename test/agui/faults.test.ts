import { describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { HypeError, type Vm } from "../../src/contract/index.ts";
import type { OperationOptions } from "../../src/engine/types.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { input, post, Reader, says, verified } from "./lib.ts";

const runs = async (server: TestServer) =>
  /^hype_agui_runs (\d+)$/m.exec(await (await server.call("/metrics")).text())?.[1];
const problem = async (reply: Response) => [reply.status, ((await reply.json()) as { code: string }).code];

describe("a request that is wrong is refused before anything is told", () => {
  const json = (body: unknown) => JSON.stringify(body);
  const table: [name: string, init: RequestInit & { path?: string }, status: number, code: string][] = [
    ["Accept of neither form", { body: json(input()), headers: { accept: "application/json" } }, 406, "not_acceptable"],
    [
      "Accept that rules both out",
      { body: json(input()), headers: { accept: "text/event-stream;q=0" } },
      406,
      "not_acceptable",
    ],
    [
      "another Content-Type",
      { body: json(input()), headers: { "content-type": "text/plain" } },
      415,
      "unsupported_media_type",
    ],
    ["no JSON", { body: "{" }, 400, "invalid_request"],
    ["a batch", { body: json([input()]) }, 400, "invalid_request"],
    ["no threadId", { body: json({ ...input(), threadId: undefined }) }, 400, "invalid_request"],
    ["messages of no role", { body: json(input({ messages: [{ id: "1", content: "x" }] })) }, 400, "invalid_request"],
    ["another version", { body: json(input({ protocolVersion: "2.0" })) }, 400, "invalid_request"],
    ["wrong operations", { body: json(input({ forwardedProps: { operations: [{}] } })) }, 400, "invalid_request"],
    ["a body without end", { body: json(input(says("x".repeat(13 * 1024 * 1024)))) }, 413, "payload_too_large"],
    ["a VM that is not there", { body: json(input()), path: "/agui/vms/nobody" }, 404, "vm_not_found"],
    ["no key", { body: json(input()), headers: { authorization: "Bearer x" } }, 401, "unauthorized"],
    [
      "a page's Origin",
      { body: json(input()), headers: { origin: "https://evil.example" } },
      403,
      "origin_not_allowed",
    ],
  ];
  for (const [name, { path = "/agui", ...init }, status, code] of table)
    test(name, async () => {
      await using server = startTestServer();
      expect(await problem(await server.call(path, { method: "POST", ...init }))).toEqual([status, code]);
      expect(await runs(server)).toBe("0");
    });

  test("another version's remedy names ours", async () => {
    await using server = startTestServer();
    expect(await (await post(server, input({ protocolVersion: "2.0" }))).text()).toContain("speaks AG-UI 1.0");
  });
});

describe("Accept", () => {
  const PROTO = "application/vnd.ag-ui.event+proto";
  for (const [accept, type] of [
    [null, "text/event-stream"],
    ["*/*", "text/event-stream"],
    ["text/event-stream", "text/event-stream"],
    [PROTO, PROTO],
    [`${PROTO}, text/event-stream;q=0.5`, PROTO],
    [`${PROTO};q=0.2, text/event-stream`, "text/event-stream"],
    [`${PROTO};q=0, */*`, "text/event-stream"],
  ] as const)
    test(String(accept), async () => {
      await using server = startTestServer();
      const reply = await post(server, input(says("help")), accept === null ? {} : { headers: { accept } });
      expect(reply.headers.get("content-type")).toBe(type);
      await reply.arrayBuffer();
    });
});

describe("what cannot be done is told as the call's result, and the run ends well", () => {
  const table: [name: string, said: string, code: string, words: string][] = [
    ["a tool's name in another order", `{"tool":"create_vm"}`, "invalid_request", "did you mean vm_create"],
    ["an unknown VM", "/vms get nobody", "vm_not_found", "vm_list"],
    ["wrong arguments", `{"tool":"vm_get","arguments":{"vm":1}}`, "invalid_request", "vm"],
    ["arguments it does not have", `{"tool":"vm_get","arguments":{"vm":"web","x":1}}`, "invalid_request", "x"],
    ["a taken state", "/vms resume web", "vm_state_conflict", "only a paused VM"],
  ];
  for (const [name, said, code, words] of table)
    test(name, async () => {
      await using server = startTestServer();
      server.engine.add("web");
      const reader = await new Reader(server).say(said);
      expect(reader.finished.outcome).toEqual({ type: "success" });
      expect(reader.finished.result.operations).toMatchObject([{ ok: false, error: { code } }]);
      expect(reader.of("TOOL_CALL_RESULT")).toMatchObject([{ content: expect.stringContaining(words) }]);
      expect(reader.types.filter((type) => type === "STEP_FINISHED")).toHaveLength(1);
    });

  test("5 MB of arguments", async () => {
    await using server = startTestServer();
    const operations = [{ tool: "vm_get", arguments: { vm: "x".repeat(5 * 1024 * 1024) } }];
    const events = await verified(await (await post(server, input({ forwardedProps: { operations } }))).text());
    expect(events.find(({ type }) => type === "TOOL_CALL_RESULT")).toMatchObject({
      content: expect.stringContaining("payload_too_large"),
    });
    expect(JSON.stringify(events).length).toBeLessThan(2 * 1024 * 1024);
  });

  test("what a key's scope does not hold is not there", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    const { key } = server.keys.create({
      name: "reader",
      scope: "read",
      restriction: null,
      expires_at: null,
      rate_per_minute: null,
    });
    const reader = new Reader(server, { key });
    await reader.run({
      forwardedProps: { operations: [{ tool: "vm_delete", arguments: { vm: "web", confirm: true } }] },
    });
    expect(reader.finished.result.operations).toMatchObject([{ ok: false, error: { code: "invalid_request" } }]);
    await reader.say("/vms delete web");
    expect(reader.finished.result.error.code).toBe("usage");
    expect(server.engine.rows.has("web")).toBe(true);
    const listed = (await (
      await server.call("/agui/capabilities", { headers: { authorization: `Bearer ${key}` } })
    ).json()) as any;
    const names = listed.tools.items.map(({ name }: { name: string }) => name);
    expect(names).toContain("vm_list");
    expect(names).not.toContain("vm_delete");
  });

  test("the address of one VM is about no other", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    server.engine.add("other");
    const reader = await new Reader(server, { vm: "web" }).say("/vms get");
    expect(reader.finished.result.operations).toMatchObject([{ ok: true, structured: { name: "web" } }]);
    await reader.say("/vms get --vm other");
    expect(reader.finished.result.operations).toMatchObject([{ ok: false, error: { code: "invalid_request" } }]);
  });
});

test("a bug ends the run by RUN_ERROR with a ref that stands once in the log, everything closed", async () => {
  await using server = startTestServer();
  const reader = await new Reader(server).say("/vms create broken");
  expect(reader.error?.code).toBe("internal");
  const [, ref] = /ref (\w+)/.exec(reader.error?.message ?? "") ?? [];
  expect(server.lines.filter((line) => line.includes(ref as string))).toHaveLength(1);
  expect(JSON.stringify(reader.events)).not.toContain("secret internals");
  expect(reader.types.slice(-2)).toEqual(["STEP_FINISHED", "RUN_ERROR"]);
  expect(await runs(server)).toBe("0");
});

test("a server that ends tells a run under way so, and its work ends", async () => {
  await using server = startTestServer();
  const begun = Promise.withResolvers<AbortSignal>();
  server.engine.create = (_input: unknown, { signal }: OperationOptions = {}) => {
    begun.resolve(signal!);
    return new Promise<Vm>((_, reject) =>
      signal!.addEventListener("abort", () => reject(new HypeError("cancelled", "undone"))),
    );
  };
  const reader = new Reader(server);
  const running = reader.say("/vms create web");
  await begun.promise;
  server.shutDown.abort(new HypeError("shutting_down", "the server is shutting down"));
  await running;
  expect(reader.error?.code).toBe("shutting_down");
});

describe("a client that goes away", () => {
  const ended = (signal: AbortSignal) =>
    signal.aborted
      ? Promise.resolve()
      : new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));

  for (const wire of ["text/event-stream", "application/vnd.ag-ui.event+proto"])
    test(`while a tool works: the work is aborted (${wire})`, async () => {
      await using server = startTestServer();
      const begun = Promise.withResolvers<AbortSignal>();
      const undone = Promise.withResolvers<void>();
      server.engine.create = (_input: unknown, { signal }: OperationOptions = {}) => {
        begun.resolve(signal!);
        return new Promise<Vm>((_, reject) =>
          signal!.addEventListener("abort", () => {
            undone.resolve();
            reject(new HypeError("cancelled", "undone"));
          }),
        );
      };
      const away = new AbortController();
      const operations = [
        { tool: "vm_create", arguments: { name: "web" } },
        { tool: "vm_create", arguments: { name: "b" } },
      ];
      const reply = await post(server, input({ forwardedProps: { operations } }), {
        signal: away.signal,
        headers: { accept: wire },
      });
      await begun.promise;
      away.abort();
      await undone.promise;
      await reply.text().catch(() => {});
      expect(await runs(server)).toBe("0");
      expect([...server.engine.rows]).toEqual([]);
    });

  test("while it watches: nobody listens to the events any more", async () => {
    await using server = startTestServer();
    const signals: AbortSignal[] = [];
    const subscribe = server.engine.subscribe.bind(server.engine);
    server.engine.subscribe = (after, signal) => {
      signals.push(signal);
      return subscribe(after, signal);
    };
    const away = new AbortController();
    const reply = await post(server, input(says("/watch")), { signal: away.signal });
    await reply.body!.getReader().read();
    away.abort();
    await ended(signals[0]!);
    expect(await runs(server)).toBe("0");
  });

  test("before it read anything, or without reading: it is cut", async () => {
    await using server = startTestServer({ context: { heartbeatMs: 5 } });
    const vm = server.engine.add("web");
    const signals: AbortSignal[] = [];
    const begun = Promise.withResolvers<void>();
    const subscribe = server.engine.subscribe.bind(server.engine);
    server.engine.subscribe = (after, signal) => {
      signals.push(signal);
      begun.resolve();
      return subscribe(after, signal);
    };
    const { port } = new URL(server.url);
    const socket = connectTcp(Number(port), "127.0.0.1");
    const body = JSON.stringify(input(says("/watch")));
    socket.write(
      `POST /agui HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    socket.pause();
    await begun.promise;
    for (let nth = 0; nth < 200; nth++) {
      const changed = { ...vm, status_reason: `${nth}${"x".repeat(100_000)}` };
      server.engine.rows.set("web", changed);
      server.engine.emit("VM_STOPPED", changed);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended(signals[0]!);
    expect(await runs(server)).toBe("0");
    socket.destroy();
  });
});

test("50 runs at once, each told its own", async () => {
  await using server = startTestServer();
  const readers = await Promise.all(
    Array.from({ length: 50 }, (_, nth) =>
      new Reader(server, { wire: nth % 2 ? "protobuf" : "sse" }).say(`/vms create vm-${nth} --memory ${512 + nth}`),
    ),
  );
  for (const [nth, reader] of readers.entries()) {
    expect(reader.finished.result.operations).toMatchObject([{ ok: true, structured: { name: `vm-${nth}` } }]);
    expect(reader.state.vms[`vm-${nth}`].memory_mb).toBe(512 + nth);
    expect(reader.events.filter(({ runId }) => runId && runId !== reader.finished.runId)).toEqual([]);
  }
  expect(server.engine.rows.size).toBe(50);
  expect(await runs(server)).toBe("0");
});
