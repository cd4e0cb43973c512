import { describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

/** Reads a stream until it holds `until`; the deadline is the test's own. */
async function readUntil(reply: Response, until: string): Promise<string> {
  const reader = reply.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(until)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
const ids = (text: string) => [...text.matchAll(/^id: (\d+)\ndata/gm)].map(([, id]) => Number(id));
const openStreams = async (server: TestServer) =>
  /^hype_event_streams (\d+)$/m.exec(await (await server.call("/metrics")).text())?.[1];

describe("event stream", () => {
  test("begins with now, and says where that is", async () => {
    await using server = startTestServer();
    server.engine.add("old");
    const reply = await server.call("/api/v1/events/vms");
    expect(reply.headers.get("content-type")).toBe("text/event-stream");
    server.engine.add("new");
    const text = await readUntil(reply, '"new"');
    expect(text).toStartWith(": connected\nretry: 1000\nid: 1\n\n");
    expect(ids(text)).toEqual([2]);
    expect(text).not.toContain("old");
  });

  for (const [name, path, headers] of [
    ["?after", "/api/v1/events/vms?after=2", {}],
    ["Last-Event-ID", "/api/v1/events/vms", { "last-event-id": "2" }],
    ["Last-Event-ID over ?after", "/api/v1/events/vms?after=0", { "last-event-id": "2" }],
  ] as const)
    test(`replays what was missed after ${name}, then goes on live`, async () => {
      await using server = startTestServer();
      for (const vm of ["a", "b", "c", "d"]) server.engine.add(vm);
      const reply = await server.call(path, { headers });
      server.engine.add("live");
      expect(ids(await readUntil(reply, '"live"'))).toEqual([3, 4, 5]);
    });

  test("beats while nothing happens", async () => {
    await using server = startTestServer({ context: { heartbeatMs: 5 } });
    const text = await readUntil(await server.call("/api/v1/events/vms"), ": heartbeat\n\n: heartbeat\n\n");
    expect(ids(text)).toEqual([]);
  });

  test("ends with a reason when the server shuts down", async () => {
    await using server = startTestServer();
    const reply = await server.call("/api/v1/events/vms");
    server.shutDown.abort();
    expect(await reply.text()).toEndWith(
      'event: error\ndata: {"code":"shutting_down","detail":"the server is shutting down"}\n\n',
    );
  });

  test("is forgotten when the reader goes away", async () => {
    await using server = startTestServer({ context: { heartbeatMs: 5 } });
    const away = new AbortController();
    const reply = await server.call("/api/v1/events/vms", { signal: away.signal });
    expect(await openStreams(server)).toBe("1");
    away.abort();
    await expect(reply.text()).rejects.toThrow();
    while ((await openStreams(server)) !== "0");
  });

  test("a reader that stops reading costs nobody anything and is told why it was cut", async () => {
    await using server = startTestServer({ context: { heartbeatMs: 60_000 } });
    const socket = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    socket.pause();
    socket.write(`GET /api/v1/events/vms?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    while ((await openStreams(server)) !== "1");
    const vm = server.engine.add("noisy");
    // More than the sockets' buffers hold, then more than a reader may fall behind.
    for (let count = 0; count < 60_000; count++) server.engine.emit("VM_RUNNING", vm);
    let text = "";
    for await (const chunk of socket.resume()) {
      text += chunk;
      if (text.includes("event: error")) break;
    }
    socket.destroy();
    expect(text).toContain('event: error\ndata: {"code":"reader_too_slow"');
    while ((await openStreams(server)) !== "0");
  });

  test("a reader that never reads again is let go of", async () => {
    await using server = startTestServer({ context: { heartbeatMs: 5 } });
    const vm = server.engine.add("noisy");
    // 30 MB: more than the sockets' buffers hold.
    for (let count = 0; count < 200_000; count++) server.engine.emit("VM_RUNNING", vm);
    server.engine.slowReaderRows = Infinity;
    const socket = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    socket.pause();
    socket.on("error", () => {});
    socket.write(`GET /api/v1/events/vms?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    while ((await openStreams(server)) !== "1");
    while ((await openStreams(server)) !== "0");
    socket.destroy();
  });
});
