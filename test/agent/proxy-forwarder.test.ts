import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Forwarder } from "../../agent/proxy/forwarder.ts";
import { Upstream } from "../../agent/proxy/upstream.ts";
import { Guest } from "../../src/guest/guest.ts";
import { silentLog } from "../../src/log/log.ts";
import { startAgent } from "../lib/agent.ts";
import { refused } from "../lib/browsing.ts";
import { drive } from "../lib/drive.ts";
import { type FakeProxy, httpProxy, socks5Proxy } from "../lib/proxies.ts";

setDefaultTimeout(60_000);

const site = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/mirror")
      return Response.json({ ...Object.fromEntries(request.headers), body: await request.text() });
    if (pathname === "/large") return new Response(new Uint8Array(20_000_000));
    return new Response(`<title>${request.headers.get("host")}</title>`, { headers: { "content-type": "text/html" } });
  },
});
let forwarder: Forwarder;
let http: FakeProxy;
let socks: FakeProxy;
const servers: Server[] = [];
beforeAll(async () => {
  const options = { credentials: "a:b", leadsTo: site.port! };
  [forwarder, http, socks] = await Promise.all([Forwarder.open(silentLog), httpProxy(options), socks5Proxy(options)]);
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => {
  await Promise.all([forwarder.close(), http[Symbol.asyncDispose](), socks[Symbol.asyncDispose]()]);
  await site.stop(true);
});

/** Says something to the forwarder. @returns all that it answers until it hangs up. */
async function say(text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: forwarder.port });
  socket.write(text, "latin1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((done) => socket.on("close", done));
  return Buffer.concat(chunks).toString("latin1");
}
const get = (url: string, more = "") => say(`GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${more}\r\n`);

/** A proxy that does what it likes. */
async function hostile(speak: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    speak(socket);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what is no request to a proxy is refused, and told nothing", async () => {
  forwarder.use({ url: http.url, bypass: [] });
  for (const text of [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET https://a.test/ HTTP/1.1\r\n\r\n",
    "CONNECT a.test HTTP/1.1\r\n\r\n",
    "CONNECT /a.test:443 HTTP/1.1\r\n\r\n",
    "hello\r\n\r\n",
  ])
    expect(await say(text)).toBe("HTTP/1.1 400 This is a proxy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  expect(await say("x".repeat(100_000))).toBe("");
});

test.each([
  ["HTTP", () => http],
  ["SOCKS5", () => socks],
])("%s: a request passes whole but for what is between neighbours; only one to a connection", async (_name, proxy) => {
  forwarder.use({ url: proxy().url, bypass: [] });
  const reply = await say(
    "POST http://a.test/mirror?q HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic bWluZQ==\r\n" +
      "X-Mine: yes\r\nContent-Length: 5\r\n\r\nhelloGET http://b.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n",
  );
  const [head, body] = reply.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(head).toMatch(/^Connection: close$/im);
  expect(JSON.parse(body!)).toMatchObject({ "x-mine": "yes", connection: "close", body: "hello" });
  expect(body).not.toContain("proxy-");
  expect(proxy().passed.at(-1)?.host).toBe("a.test");
});

test("20 MB pass, and a client that leaves takes its connection with it", async () => {
  forwarder.use({ url: socks.url, bypass: [] });
  expect((await get("http://a.test/large")).length).toBeGreaterThan(20_000_000);
  const left = Promise.withResolvers<void>();
  const address = await hostile((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n")).on("close", () => left.resolve());
  });
  forwarder.use({ url: `http://${address}`, bypass: [] });
  const client = connect({ host: "127.0.0.1", port: forwarder.port });
  client.write("CONNECT a.test:443 HTTP/1.1\r\n\r\n");
  await new Promise((done) => client.once("data", done));
  client.destroy();
  await left.promise;
});

test("hosts of the bypass are reached without the proxy", async () => {
  forwarder.use({ url: "http://127.0.0.1:1", bypass: ["127.0.0.1"] });
  expect(await get(`http://127.0.0.1:${site.port}/`)).toContain(`<title>127.0.0.1:${site.port}</title>`);
  expect(await say("CONNECT 127.0.0.2:1 HTTP/1.1\r\n\r\n")).toContain("502");
  const { bypass, ...rest } = { url: "http://p.test", bypass: ["a.test", "*.lan", "::1"] };
  const upstream = new Upstream({ ...rest, bypass });
  const hosts = ["a.test", "A.TEST", "b.a.test", "lan", "x.y.LAN", "plan", "::1"];
  expect(hosts.map((host) => upstream.bypasses(host))).toEqual([true, true, false, true, true, false, true]);
});

test("another proxy cuts what went through the one before", async () => {
  forwarder.use({ url: http.url, bypass: [] });
  const client = connect({ host: "127.0.0.1", port: forwarder.port });
  client.write("CONNECT a.test:80 HTTP/1.1\r\n\r\n");
  await new Promise((done) => client.once("data", done));
  const cut = new Promise((done) => client.once("close", done));
  forwarder.use({ url: socks.url, bypass: [] });
  await cut;
  forwarder.use(null);
  expect(await say("CONNECT a.test:80 HTTP/1.1\r\n\r\n")).toContain("502");
  expect(forwarder.faultSince(0)).toBe("the proxy of this VM is not set yet");
});

test.each<[string, string, (socket: Socket) => void, RegExp]>([
  ["hangs up", "http", (socket) => socket.end(), /hangs up$/],
  [
    "sends no end of a header",
    "http",
    (socket) => socket.write("HTTP/1.1 200 OK\r\nx: ".padEnd(200_000, "x")),
    /too long a header$/,
  ],
  ["speaks no HTTP", "http", (socket) => socket.write("220 mail\r\n\r\n"), /is no HTTP proxy$/],
  ["is not there for us", "http", (socket) => socket.write("HTTP/1.1 503 Not\x07 now\r\n\r\n"), /answers 503/],
  ["speaks no SOCKS5", "socks5", (socket) => socket.write("HTTP/1.1 400 Bad\r\n\r\n"), /is no SOCKS5 proxy$/],
  [
    "does not allow it",
    "socks5",
    (socket) => socket.write(Buffer.from([5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0])),
    /does not allow this destination$/,
  ],
  ["hangs up in the middle", "socks5", (socket) => socket.end(Buffer.from([5, 0, 5])), /hangs up$/],
])("a proxy that %s (%s)", async (_name, scheme, speak, message) => {
  const address = await hostile((socket) => socket.once("data", () => speak(socket)));
  forwarder.use({ url: `${scheme}://user:s3cr3t@${address}`, bypass: [] });
  expect(await say("CONNECT a.test:443 HTTP/1.1\r\n\r\n")).toContain("502");
  expect(forwarder.faultSince(0)).toMatch(message);
  expect(forwarder.faultSince(0)).toStartWith(`the proxy ${scheme}://user:***@${address} `);
});

test("a guest that is to have a proxy opens nothing before it knows which, and needs no restart then", async () => {
  await using agent = await startAgent({ flags: ["--expect-proxy"] });
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  expect(await refused("navigation_failed", drive(guest).navigate("http://a.test/"))).toContain("is not set yet");
  expect(await guest.setProxy({ url: http.url, bypass: [] })).toBe(false);
  expect(await drive(guest).navigate("http://a.test/")).toMatchObject({ title: "a.test" });
});

test("an agent that is restarted starts its browser with the proxy it had", async () => {
  const kept = (directory: string) => {
    writeFileSync(join(directory, "proxy"), JSON.stringify({ url: socks.url, bypass: [] }), { mode: 0o600 });
    return [];
  };
  await using agent = await startAgent({ wrap: kept });
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  expect(await drive(guest).navigate("http://a.test/")).toMatchObject({ title: "a.test" });
  expect(socks.passed.at(-1)).toMatchObject({ host: "a.test", by: "a:b" });
});
