import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { HypeError, type VmEvent, type VmStatus } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startTestServer, type TestServer } from "./harness.ts";

/** Guests that take a request and never say a word: so is one whose machine was paused, killed or cut off without a reset. */
setDefaultTimeout(20_000);
let server: TestServer;
let silent: Server;
const sockets = new Set<Socket>();
let asked = Promise.withResolvers<void>();
/** What is said before falling silent. */
let firstWords: string[] = [];
beforeAll(async () => {
  server = startTestServer();
  silent = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", () => {
      const words = firstWords.shift();
      if (words !== undefined) socket.write(words);
      if (firstWords.length === 0) asked.resolve();
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  silent.listen(0, "127.0.0.1", resolve);
  await promise;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  for (const socket of sockets) socket.destroy();
  silent.close();
});

const vms = (() => {
  let count = 0;
  return () => {
    const vm = server.engine.add(`vm-${++count}`);
    const { port } = silent.address() as { port: number };
    server.engine.guests.set(vm.name, new Guest(`http://127.0.0.1:${port}`, "token"));
    return vm.name;
  };
})();
const end = (name: string, status: VmStatus, event: VmEvent["type"]) => {
  const { engine } = server;
  const vm = engine.get(name);
  vm.status = status;
  if (status !== "paused") engine.gone.get(name)!.abort(new HypeError("vm_not_running", `${name} is ${status}`));
  engine.emit(event, vm);
};
const ENDS: [string, (name: string) => unknown][] = [
  ["paused", (name) => end(name, "paused", "VM_PAUSED")],
  ["stopped", (name) => end(name, "stopped", "VM_STOPPED")],
  ["crashed", (name) => end(name, "crashed", "VM_CRASHED")],
  ["deleted", (name) => server.engine.delete(name)],
];
const LONG = { timeout_ms: 300_000 };
const post = (path: string, body: object) => (name: string) =>
  server.call(`/api/v1/vms/${name}/browser/${path}`, { method: "POST", body: JSON.stringify({ ...LONG, ...body }) });
const get = (path: string) => (name: string) => server.call(`/api/v1/vms/${name}/browser/${path}`);
const save = (body: object) => server.call("/api/v1/profiles", { method: "POST", body: JSON.stringify(body) });
const ROUTES: [string, (name: string) => Promise<Response>][] = [
  ["navigate", post("navigate", { url: "about:blank" })],
  ["evaluate", post("evaluate", { expression: "1" })],
  ["screenshot", post("screenshot?keep=true", {})],
  ["content", post("content", {})],
  ["tabs", get("tabs")],
  ["wait", post("wait", { text: "x" })],
  ["click", post("click", { selector: "a" })],
  ["pdf", post("pdf?keep=true", {})],
  ["answer-dialog", post("answer-dialog", { id: "1", accept: true })],
  ["import-state", post("import-state", { state: {} })],
  ["stop-recording", post("stop-recording?keep=true", {})],
  ["a download's bytes", get("downloads/1")],
  ["a film's bytes", get("recordings/1")],
  ["a login that is saved", (name) => save({ name, vm: name })],
  ["a whole profile that is saved", (name) => save({ name, vm: name, whole: true })],
  [
    "a download that is kept",
    (name) => server.call(`/api/v1/vms/${name}/browser/downloads/1/keep`, { method: "POST" }),
  ],
  [
    "an upload",
    (name) =>
      server.call(`/api/v1/vms/${name}/browser/uploads/x`, { method: "PUT", body: new Blob([Buffer.alloc(100_000)]) }),
  ],
];

describe.each(ENDS)("a VM that is %s meanwhile", (word, endIt) => {
  test.each(ROUTES)("ends %s at once, with the reason", async (_what, ask) => {
    [asked, firstWords] = [Promise.withResolvers<void>(), []];
    const name = vms();
    const reply = ask(name);
    await asked.promise;
    await endIt(name);
    const { status } = await reply;
    const problem = (await (await reply).json()) as { code: string; detail: string };
    expect([status, problem.code]).toEqual([409, "vm_not_running"]);
    expect(problem.detail).toContain(word);
  });

  test("ends the stream of entries, which says why", async () => {
    [asked, firstWords] = [Promise.withResolvers<void>(), []];
    const name = vms();
    const reply = await get("entries")(name);
    const text = reply.text();
    await asked.promise;
    await endIt(name);
    expect(await text).toContain("event: error");
    expect(await text).toContain(word);
  });

  test("breaks off a download in the middle of its bytes", async () => {
    const download = {
      ...{ id: "1", tab: null, url: "", name: "x", type: "text/plain", state: "in_progress", error: null },
      ...{ total_bytes: 10, received_bytes: 5, sha256: null, by_client: false, started_at: 1, ended_at: null },
    };
    const told = JSON.stringify(download);
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    [asked, firstWords] = [
      Promise.withResolvers<void>(),
      [
        `${head}connection: close\r\ncontent-length: ${told.length}\r\n\r\n${told}`,
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 10\r\n\r\nhello",
      ],
    ];
    const name = vms();
    const reply = await get("downloads/1")(name);
    const reader = reply.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("hello");
    const rest = reader.read().then(
      ({ done }) => `done: ${done}`,
      () => "broken off",
    );
    await endIt(name);
    expect(await rest).toBe("broken off");
  });
});

test("a VM that is paused already is not asked", async () => {
  const name = vms();
  end(name, "paused", "VM_PAUSED");
  const reply = await post("wait", { text: "x" })(name);
  expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([409, "vm_not_running"]);
});
