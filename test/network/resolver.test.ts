import { afterEach, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parseQuestion } from "../../src/network/dns/message.ts";
import { Resolver } from "../../src/network/dns/resolver.ts";
import { NameServers } from "../../src/network/dns/servers.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const stack: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const resources of stack.splice(0)) await resources.disposeAsync();
});

/** A real name server in a process of its own. */
async function server(mood: string): Promise<{ port: number; line(): Promise<string> }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../fake/dns-server.ts"), "127.0.0.1", "0", mood], {
    stdout: "pipe",
  });
  const resources = new AsyncDisposableStack();
  stack.push(resources);
  resources.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const reader = child.stdout.getReader();
  let held = "";
  const line = async () => {
    while (!held.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the name server ended with ${await child.exited}`);
      held += new TextDecoder().decode(value);
    }
    const [first = "", ...rest] = held.split("\n");
    held = rest.join("\n");
    return first;
  };
  return { port: Number((await line()).split(" ")[1]), line };
}

async function resolver(
  serverPort: number,
  options: { servers?: string[]; subnet?: string; timeoutMs?: number } = {},
): Promise<Resolver> {
  const { servers = ["127.0.0.1"], subnet = "127.0.0.0/8", timeoutMs = 2_000 } = options;
  const open = () =>
    Resolver.open({ address: "127.0.0.1", port: 0, subnet, servers: { list: () => servers }, serverPort, timeoutMs });
  // A port that is free over UDP may be taken over TCP: then another one is asked for.
  let opened = await open().catch(() => null);
  for (let tries = 0; opened === null; tries++) opened = await (tries < 20 ? open().catch(() => null) : open());
  const resources = new AsyncDisposableStack();
  stack.push(resources);
  resources.use(opened);
  return opened;
}

/** A question of ours: `type` 1 is A, 16 is TXT; `udpBytes` adds an OPT record. */
function question(name: string, { type = 1, udpBytes = 0, id = 0x4242 } = {}): Buffer {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  const opt = udpBytes === 0 ? [] : [0, 0, 41, udpBytes >> 8, udpBytes & 255, 0, 0, 0, 0, 0, 0];
  return Buffer.from([
    id >> 8,
    id & 255,
    1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    opt.length > 0 ? 1 : 0,
    ...labels,
    0,
    0,
    type,
    0,
    1,
    ...opt,
  ]);
}

/** Sends datagrams from one socket; resolves with the first `answers` answers. */
async function ask(port: number, queries: Buffer[], answers = 1): Promise<Buffer[]> {
  const socket = createSocket("udp4");
  const { promise, resolve } = Promise.withResolvers<Buffer[]>();
  const got: Buffer[] = [];
  socket.on("message", (bytes) => {
    got.push(bytes);
    if (got.length === answers) resolve(got);
  });
  for (const query of queries) socket.send(query, port, "127.0.0.1");
  return await promise.finally(() => socket.close());
}

async function askTcp(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let held = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    if (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) resolve(held.subarray(2));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("closed without an answer")));
  socket.write(bytes);
  return await promise.finally(() => socket.destroy());
}

const prefixed = (query: Buffer) => Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]);
const code = (answer: Buffer | undefined) => (answer?.readUInt16BE(2) ?? -1) & 0xf;
const isCut = (answer: Buffer | undefined) => ((answer?.readUInt16BE(2) ?? 0) & 0x200) !== 0;

describe("the guests' resolver", () => {
  test("passes on the answer under the asker's id, and asks under ids and ports of its own", async () => {
    const upstream = await server("plain");
    const { port } = await resolver(upstream.port);
    const seen: string[] = [];
    for (let round = 0; round < 4; round++) {
      const [answer] = await ask(port, [question("example.com")]);
      expect(answer?.readUInt16BE(0)).toBe(0x4242);
      expect(answer?.subarray(-4)).toEqual(Buffer.from([192, 0, 2, 80]));
      seen.push(await upstream.line());
    }
    const [ports, ids] = [1, 2].map((field) => new Set(seen.map((line) => line.split(" ")[field])));
    expect(ports!.size).toBeGreaterThan(1);
    expect(ids!.size).toBeGreaterThan(1);
  });

  test("forged answers are passed over: wrong id, wrong name, no answer, rubbish", async () => {
    const { port } = await resolver((await server("forged")).port);
    const [answer] = await ask(port, [question("example.com")]);
    expect(code(answer)).toBe(0);
    expect(answer?.subarray(-4)).toEqual(Buffer.from([192, 0, 2, 80]));
    expect(answer?.subarray(12)).toEqual(Buffer.concat([question("example.com").subarray(12), answer!.subarray(-16)]));
  });

  test("what is too long for a datagram is cut, and whole over TCP", async () => {
    const { port } = await resolver((await server("plain")).port);
    const long = question("long.example.com", { type: 16 });
    const [cut] = await ask(port, [long]);
    expect(isCut(cut)).toBe(true);
    expect(cut!.length).toBeLessThanOrEqual(512);
    const whole = await askTcp(port, prefixed(long));
    expect(whole.length).toBeGreaterThan(1500);
    expect(isCut(whole)).toBe(false);
    expect(whole.readUInt16BE(0)).toBe(0x4242);
  });

  test("a silent or missing server is passed over for the next; when all fail, the guest is told", async () => {
    const good = await server("plain");
    // 127.0.0.9 has no server at that port: its refusal is an answer at once.
    const { port } = await resolver(good.port, { servers: ["127.0.0.9", "127.0.0.1"] });
    expect((await ask(port, [question("example.com")]))[0]?.subarray(-4)).toEqual(Buffer.from([192, 0, 2, 80]));
    const mute = await resolver((await server("mute")).port, { timeoutMs: 50 });
    expect(code((await ask(mute.port, [question("example.com")]))[0])).toBe(2);
    const none = await resolver(good.port, { servers: [] });
    expect(code((await ask(none.port, [question("example.com")]))[0])).toBe(2);
  });

  test("nonsense gets no answer and harms nothing", async () => {
    const { port } = await resolver((await server("plain")).port);
    const good = question("example.com", { id: 7 });
    const answerOfOurs = Buffer.from(good);
    answerOfOurs[2] = 0x80;
    const twoQuestions = Buffer.from(good);
    twoQuestions[5] = 2;
    const compressed = Buffer.from([...good.subarray(0, 12), 0xc0, 12, 0, 1, 0, 1]);
    const endless = Buffer.concat([good.subarray(0, 12), Buffer.alloc(300, 1)]);
    const rubbish = [
      Buffer.alloc(0),
      Buffer.from("x"),
      good.subarray(0, 15),
      answerOfOurs,
      twoQuestions,
      compressed,
      endless,
      Buffer.alloc(1600, 9),
    ];
    for (const bytes of rubbish) expect(parseQuestion(bytes)).toBeNull();
    const [answer] = await ask(port, [...rubbish, good]);
    expect(answer?.readUInt16BE(0)).toBe(7);
    await expect(askTcp(port, Buffer.from([0xff, 0xff, 1, 2, 3]))).rejects.toThrow("closed");
    await expect(askTcp(port, prefixed(Buffer.from("nonsense!")))).rejects.toThrow("closed");
  });

  test("strangers are not answered", async () => {
    const upstream = await server("plain");
    const strict = await resolver(upstream.port, { subnet: "192.168.127.0/24" });
    await expect(askTcp(strict.port, prefixed(question("stranger.example")))).rejects.toThrow();
    const stranger = createSocket("udp4");
    const got: Buffer[] = [];
    stranger.on("message", (bytes) => got.push(bytes));
    await new Promise((sent) => stranger.send(question("stranger.example"), strict.port, "127.0.0.1", sent));
    await ask((await resolver(upstream.port)).port, [question("example.com")]);
    expect(await upstream.line()).toEndWith(" example");
    expect(got).toEqual([]);
    stranger.close();
  });

  test("one guest cannot have more asked at once than its share", async () => {
    const upstream = await server("mute");
    const { port } = await resolver(upstream.port, { timeoutMs: 300 });
    const queries = Array.from({ length: 200 }, (_, id) => question("example.com", { id }));
    // 64 are asked and fail; the rest was dropped, so that no 65th answer comes.
    const answers = await ask(port, queries, 64);
    expect(answers.every((answer) => code(answer) === 2)).toBe(true);
    const [again] = await ask(port, [question("example.com", { id: 999 })]);
    expect(again?.readUInt16BE(0)).toBe(999);
  });

  test("its port taken is said with the address", async () => {
    const first = await resolver(1);
    const error = await Resolver.open({
      address: "127.0.0.1",
      port: first.port,
      subnet: "127.0.0.0/8",
      servers: { list: () => [] },
    }).catch((thrown) => thrown);
    expect(error.code).toBe("network_unavailable");
    expect(error.message).toContain(`127.0.0.1:${first.port}`);
  });

  test("the host's servers are read anew when its file changed, never our own address", () => {
    using directory = temporaryDirectory();
    const path = directory.join("resolv.conf");
    writeFileSync(
      path,
      "# c\nnameserver 192.0.2.1\nnameserver 192.168.127.1\nnameserver nonsense\n  nameserver 2001:db8::1\n",
    );
    const servers = new NameServers(null, "192.168.127.1", path, 0);
    expect(servers.list()).toEqual(["192.0.2.1", "2001:db8::1"]);
    writeFileSync(path, "nameserver 192.0.2.22\n");
    expect(servers.list()).toEqual(["192.0.2.22"]);
    expect(new NameServers(null, "192.168.127.1", directory.join("none"), 0).list()).toEqual([]);
    expect(new NameServers(["9.9.9.9"], "192.168.127.1", path, 0).list()).toEqual(["9.9.9.9"]);
  });
});
