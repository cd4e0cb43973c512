import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { HypeError } from "../../../src/contract/index.ts";
import { ChApi } from "../../../src/hypervisor/cloud-hypervisor/api.ts";
import { Info, Ping } from "../../../src/hypervisor/cloud-hypervisor/facts.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

type Request = { line: string; headers: string; body: string };

/** A peer that answers each request as told; what no real program would do is what it is for. */
async function peer(path: string, answer: (request: Request, socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const requests: Request[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
      const [head = "", ...rest] = text.split("\r\n\r\n");
      const body = rest.join("\r\n\r\n");
      if (rest.length === 0 || body.length < Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)) return;
      text = "";
      const [line = "", ...headers] = head.split("\r\n");
      const request = { line, headers: headers.join("\n").toLowerCase(), body };
      requests.push(request);
      answer(request, socket);
    });
  }).listen(path);
  await once(server, "listening");
  return {
    requests,
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** As micro_http sends it: no reason phrase, always keep-alive, no length with 204. */
const reply = (socket: Socket, status: number, body = "") =>
  socket.write(
    `HTTP/1.1 ${status} \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\n${
      status === 204 ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
    }\r\n${body}`,
  );
const failure = async (promise: Promise<unknown>): Promise<HypeError> =>
  (await promise.catch((thrown: unknown) => thrown)) as HypeError;

test("calls have the method, path and body they must have, and no other", async () => {
  using directory = temporaryDirectory();
  using server = await peer(directory.join("s"), ({ line }, socket) =>
    line.startsWith("GET") ? reply(socket, 200, '{"version":"53.0.0"}') : reply(socket, 204),
  );
  const api = new ChApi(directory.join("s"));
  expect(await api.ask("ping", Ping)).toEqual({ version: "53.0.0" });
  expect(await api.call("pause")).toBeNull();
  await api.call("create", { body: { payload: { kernel: "/k" } } as never });
  const [ping, pause, create] = server.requests;
  expect(ping?.line).toBe("GET /api/v1/vmm.ping HTTP/1.1");
  expect([pause?.line, pause?.body]).toEqual(["PUT /api/v1/vm.pause HTTP/1.1", ""]);
  expect([create?.line, create?.body]).toEqual(["PUT /api/v1/vm.create HTTP/1.1", '{"payload":{"kernel":"/k"}}']);
  for (const { headers } of server.requests) expect(headers).not.toContain("transfer-encoding");
  expect(create?.headers).toContain("content-length: 27");
});

test("one request at a time, in order, and no connection is left open", async () => {
  using directory = temporaryDirectory();
  let under = 0;
  let most = 0;
  using server = await peer(directory.join("s"), (_request, socket) => {
    most = Math.max(most, ++under);
    setImmediate(() => {
      under--;
      reply(socket, 204);
    });
  });
  const api = new ChApi(directory.join("s"));
  expect(api.busy).toBe(false);
  const calls = Array.from({ length: 30 }, (_unused, index) => api.call(index % 2 === 0 ? "pause" : "resume"));
  expect(api.busy).toBe(true);
  const closed = [...server.sockets].map((socket) => once(socket, "close"));
  await Promise.all([...calls, ...closed]);
  expect([most, api.busy]).toEqual([1, false]);
  expect(server.requests.map(({ line }) => line.includes("pause"))).toEqual(
    calls.map((_call, index) => index % 2 === 0),
  );
});

test.each([
  [
    "its error chain",
    500,
    '["Error from API","The VM could not boot","No such file"]',
    "Error from API: The VM could not boot: No such file",
  ],
  ["text that is no JSON", 400, '{ "error": "bad\nrequest" }', '{ "error": "bad\nrequest" }'],
  ["nothing", 400, "", "no reason given"],
  ["JSON of another form", 500, '{"error":"x"}', '{"error":"x"}'],
  ["a redirect, which is not followed", 302, "", "(302)"],
])("a refusal carries %s", async (_name, status, body, words) => {
  using directory = temporaryDirectory();
  using server = await peer(directory.join("s"), (_request, socket) => reply(socket, status, body));
  const error = await failure(new ChApi(directory.join("s")).call("boot"));
  expect([error.code, error.details.status]).toEqual(["hypervisor_failed", status]);
  expect(error.message).toContain("vm.boot");
  expect(error.message).toContain(words);
  expect(server.requests).toHaveLength(1);
});

test.each([
  ["no JSON", "hello"],
  ["another shape", '{"state":"Exploded"}'],
  ["more than anybody needs", JSON.stringify("x".repeat(2_000_000))],
])("an answer that is not understood is refused: %s", async (_name, body) => {
  using directory = temporaryDirectory();
  using _server = await peer(directory.join("s"), (_request, socket) => reply(socket, 200, body));
  const error = await failure(new ChApi(directory.join("s")).ask("info", Info));
  expect(error.code).toBe("hypervisor_failed");
  expect(error.message).toContain("vm.info");
  expect(error.message.length).toBeLessThan(500);
});

test("a call that is not answered ends at its deadline or with its caller, and the next one goes on", async () => {
  using directory = temporaryDirectory();
  let silent = true;
  using _server = await peer(directory.join("s"), (_request, socket) => void (silent || reply(socket, 204)));
  const api = new ChApi(directory.join("s"));
  const late = await failure(api.call("pause", { deadlineMs: 20 }));
  expect([late.code, late.message]).toEqual([
    "hypervisor_failed",
    "Cloud Hypervisor, vm.pause: no answer within 20 ms",
  ]);
  const cancel = new AbortController();
  const cancelled = failure(api.call("boot", { signal: cancel.signal }));
  cancel.abort();
  expect((await cancelled).code).toBe("cancelled");
  silent = false;
  expect(await api.call("pause")).toBeNull();
});

test.each([
  ["nobody listens", null],
  ["the connection breaks", (socket: Socket) => socket.destroy()],
  ["half an answer comes", (socket: Socket) => socket.end('HTTP/1.1 200 \r\nContent-Length: 100\r\n\r\n{"ver')],
])("a broken wire is an error of ours: %s", async (_name, answer) => {
  using directory = temporaryDirectory();
  using _server = answer && (await peer(directory.join("s"), (_request, socket) => void answer(socket)));
  const error = await failure(new ChApi(directory.join("s")).ask("ping", Ping));
  expect(error).toBeInstanceOf(HypeError);
  expect(error.code).toBe("hypervisor_failed");
});

test("no proxy of the environment hears of it", async () => {
  using directory = temporaryDirectory();
  const asked: string[] = [];
  using proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => new Response(void asked.push(request.url)),
  });
  using server = await peer(directory.join("s"), (_request, socket) => reply(socket, 200, '{"version":"53.0.0"}'));
  const url = `http://127.0.0.1:${proxy.port}`;
  const module = join(import.meta.dir, "../../../src/hypervisor/cloud-hypervisor/api.ts");
  const script = `import { ChApi } from ${JSON.stringify(module)}; console.log(JSON.stringify(await new ChApi(${JSON.stringify(directory.join("s"))}).call("ping")));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { PATH: process.env.PATH ?? "", HTTP_PROXY: url, http_proxy: url, ALL_PROXY: url },
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).text()).toBe('{"version":"53.0.0"}\n');
  expect([asked, server.requests.length]).toEqual([[], 1]);
});
