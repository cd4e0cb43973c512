import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import * as v from "valibot";
import { type ErrorCode, Evaluate, type HypeError } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";

const TOKEN = "t".repeat(43);
let server: Server | undefined;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server?.close();
});

/** A guest that says whatever it likes, byte for byte; what it was told is kept. */
async function guestThatSays(say: (socket: Socket, head: string) => void): Promise<{ guest: Guest; heard: string[] }> {
  const heard: string[] = [];
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (chunk) => {
      heard.push(chunk.toString());
      say(socket, chunk.toString());
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { guest: new Guest(`http://127.0.0.1:${port}`, TOKEN), heard };
}
const http = (status: string, body: string, headers = "") =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}Connection: close\r\n\r\n${body}`;

async function refused(promise: Promise<unknown>): Promise<HypeError> {
  const thrown = await promise.then(
    () => "nothing was thrown",
    (reason: unknown) => reason,
  );
  expect(thrown).toMatchObject({ name: "HypeError" });
  return thrown as HypeError;
}
const evaluate = (guest: Guest) => guest.evaluate(v.parse(Evaluate, { expression: "1" }));

describe("a guest that cannot be trusted", () => {
  test.each<[string, string, ErrorCode]>([
    ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "guest_unreachable"],
    ["no JSON", http("200 OK", "<html>"), "guest_unreachable"],
    ["JSON of another shape", http("200 OK", '{"status":"fine"}'), "guest_unreachable"],
    ["an error without a body", http("500 Internal Server Error", ""), "guest_unreachable"],
    ["an error code we do not know", http("500 X", '{"code":"root","message":"x"}'), "guest_unreachable"],
    ["an inherited property as code", http("500 X", '{"code":"toString","message":"x"}'), "guest_unreachable"],
    ["that our token is wrong", http("401 Unauthorized", '{"code":"unauthorized","message":"x"}'), "guest_unreachable"],
    ["a known error", http("422 X", '{"code":"evaluation_failed","message":"boom"}'), "evaluation_failed"],
  ])("says %s", async (_name, reply, code) => {
    const { guest } = await guestThatSays((socket) => socket.end(reply));
    expect(await refused(guest.health())).toMatchObject({ code });
  });

  test("a redirect is not followed, and the token goes nowhere else", async () => {
    const { guest, heard } = await guestThatSays((socket) =>
      socket.end(http("302 Found", "", "Location: http://127.0.0.1:1/v1/health\r\n")),
    );
    expect(await refused(guest.health())).toMatchObject({ code: "guest_unreachable" });
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain(`Bearer ${TOKEN}`);
  });

  test("a reply without end is cut at its limit", async () => {
    const { guest } = await guestThatSays((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
      const pour = () => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on("drain", pour);
      pour();
    });
    expect(await refused(guest.health())).toMatchObject({
      code: "guest_unreachable",
      message: expect.stringContaining("1048576 bytes"),
    });
  });

  test("the caller's signal ends the wait for one that never answers", async () => {
    const abort = new AbortController();
    const { guest } = await guestThatSays(() => abort.abort());
    expect(await refused(guest.health(abort.signal))).toMatchObject({ code: "cancelled" });
  });

  test("one that hangs up in the middle of a reply", async () => {
    const { guest } = await guestThatSays((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"));
    expect(await refused(evaluate(guest))).toMatchObject({ code: "guest_unreachable" });
  });

  test("nobody there", async () => {
    const { guest } = await guestThatSays(() => {});
    await new Promise((resolve) => server!.close(resolve));
    expect(await refused(guest.health())).toMatchObject({
      code: "guest_unreachable",
      cause: expect.objectContaining({ code: "ECONNREFUSED" }),
    });
  });
});

describe("events", () => {
  const stream = (body: string) =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n${body}`;
  const collect = async (guest: Guest) => {
    const seen: unknown[] = [];
    const failure = await refused(
      (async () => {
        for await (const event of guest.events(new AbortController().signal)) seen.push(event);
      })(),
    );
    return { seen, failure };
  };

  test("comments are not events; a stream that ends is a lost wire", async () => {
    const starting = { type: "browser_starting", restarts: 0 };
    const { guest } = await guestThatSays((socket) =>
      socket.end(stream(`data: ${JSON.stringify(starting)}\n\n: still here\n\ndata: ${JSON.stringify(starting)}\n\n`)),
    );
    const { seen, failure } = await collect(guest);
    expect(seen).toEqual([starting, starting]);
    expect(failure.code).toBe("guest_unreachable");
  });
  test.each([
    ["an event that is none", stream('data: {"type":"vm_deleted"}\n\n')],
    ["a line without end", stream(`data: ${"x".repeat(200_000)}`)],
    ["a refusal", http("401 Unauthorized", "{}")],
  ])("%s", async (_name, reply) => {
    const { guest } = await guestThatSays((socket) => socket.end(reply));
    expect((await collect(guest)).failure.code).toBe("guest_unreachable");
  });
  test("the caller's signal ends them without an error", async () => {
    const abort = new AbortController();
    const { guest } = await guestThatSays((socket) => {
      socket.write(stream(""));
      abort.abort();
    });
    for await (const event of guest.events(abort.signal)) throw new Error(`unexpected ${event.type}`);
  });
});

describe("paths", () => {
  const guest = new Guest("http://127.0.0.1:1", TOKEN);
  test.each(["/v1/health", "/jsonp", "/json/../v1/identity", "//elsewhere/json", "/json/x\r\nX: y"])(
    "cdpJson does not ask for %p",
    async (path) => {
      expect(await refused(guest.cdpJson(path))).toMatchObject({ code: "not_found" });
    },
  );
  test.each(["/devtools/page/", "/devtools/page/../../v1/health", "/v1/health", "/devtools/browser/a/b"])(
    "cdpSocket does not lead to %p",
    (path) => {
      expect(() => guest.cdpSocket(path)).toThrow(expect.objectContaining({ code: "not_found" }));
    },
  );
  test("cdpSocket: address and header", () => {
    expect(guest.cdpSocket("/devtools/page/AB12")).toEqual({
      url: "ws://127.0.0.1:1/devtools/page/AB12",
      headers: { authorization: `Bearer ${TOKEN}` },
    });
  });
});
