import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { refused } from "../lib/browsing.ts";
import { drive } from "../lib/drive.ts";
import { type FakeProxy, httpProxy, socks5Proxy } from "../lib/proxies.ts";

setDefaultTimeout(60_000);

const SECRET = "pass%40word";
const PLAIN = "pass@word";
const CREDENTIALS = `user:${SECRET}`;

/** A site under names that exist nowhere: only a proxy's own name server leads to it. */
const site = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request, server) {
    const { pathname, host } = new URL(request.url);
    if (pathname === "/socket") return server.upgrade(request) ? undefined : new Response("no", { status: 400 });
    if (pathname === "/echo") return new Response(`${(await request.arrayBuffer()).byteLength} bytes`);
    if (pathname === "/moved") return Response.redirect(`http://other.test/`, 302);
    return new Response(`<title>${host}</title><h1>here</h1>`, { headers: { "content-type": "text/html" } });
  },
  websocket: { message: (socket, message) => void socket.send(`heard ${message}`) },
});

let agent: RunningAgent;
let guest: Guest;
let http: FakeProxy;
let socks: FakeProxy;
const set = (url: string, bypass: string[] = []) => guest.setProxy({ url, bypass });
const words = () => drive(guest);

beforeAll(async () => {
  const options = { credentials: `user:${PLAIN}`, leadsTo: site.port! };
  [agent, http, socks] = await Promise.all([startAgent(), httpProxy(options), socks5Proxy(options)]);
  http.url = http.url.replace(PLAIN, SECRET);
  socks.url = socks.url.replace(PLAIN, SECRET);
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await Promise.all([http, socks].map((proxy) => proxy?.[Symbol.asyncDispose]()));
  await site.stop(true);
});

/** Has a page's WebRTC look for its own addresses, with the help of a STUN server. @returns whether the server heard of it. */
async function webRtcIsHeard(): Promise<boolean> {
  const stun = createSocket("udp4");
  await new Promise<void>((done) => stun.bind(0, "127.0.0.1", done));
  const heard = new Promise<boolean>((done) => stun.once("message", () => done(true)));
  const { port } = stun.address() as AddressInfo;
  const look = `(async () => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:${port}" }] });
    peer.createDataChannel("x");
    const gathered = new Promise((done) => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
    });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered;
  })()`;
  // A server that does not answer is asked for long: what is not wanted shows before.
  const isHeard = await Promise.race([
    heard,
    words()
      .evaluate(look, { await_promise: true })
      .then(() => false),
  ]);
  stun.close();
  return isHeard;
}

test("without a proxy names are looked up here, and WebRTC speaks to whom it likes", async () => {
  await refused("navigation_failed", words().navigate("http://site.test/"));
  await words().navigate(`http://127.0.0.1:${site.port}/`);
  expect(await webRtcIsHeard()).toBe(true);
});

test("an HTTP proxy with a password: pages, sockets, uploads go through it, and names with them", async () => {
  expect(await set(http.url)).toBe(true);
  expect(await words().navigate("http://site.test/moved")).toMatchObject({ title: "other.test", status: 200 });
  expect(http.passed.map(({ host, how, by }) => `${how} ${host} ${by}`)).toEqual([
    `request site.test user:${PLAIN}`,
    `request other.test user:${PLAIN}`,
  ]);
  expect(
    await words().evaluate("fetch('/echo', { method: 'POST', body: 'x'.repeat(3_000_000) }).then((r) => r.text())", {
      await_promise: true,
    }),
  ).toBe("3000000 bytes");
  expect(await words().evaluate(ASK_SOCKET, { await_promise: true })).toBe("heard hello");
  expect(http.passed.at(-1)).toMatchObject({ how: "connect", host: "other.test" });
});

const ASK_SOCKET = `new Promise((done) => {
  const socket = new WebSocket("ws://" + location.host + "/socket");
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => done(data);
  socket.onerror = () => done("error");
})`;

test("another proxy is in force at once, and the tab stays", async () => {
  const { tab } = await words().navigate("http://site.test/");
  const { pid } = (await guest.health()).chromium;
  const before = http.passed.length;
  expect(await set(socks.url)).toBe(false);
  expect(await words().navigate("http://again.test/", { tab })).toMatchObject({ title: "again.test" });
  expect(await words().evaluate(ASK_SOCKET, { await_promise: true })).toBe("heard hello");
  expect(
    await words().evaluate("fetch('/echo', { method: 'POST', body: 'x'.repeat(300_000) }).then((r) => r.text())", {
      await_promise: true,
    }),
  ).toBe("300000 bytes");
  expect(new Set(socks.passed.map(({ host, by }) => `${host} ${by}`))).toEqual(new Set([`again.test user:${PLAIN}`]));
  expect(http.passed).toHaveLength(before);
  expect((await guest.health()).chromium).toMatchObject({ pid, restarts: 0 });
});

test("WebRTC goes past no proxy", async () => {
  await words().navigate("http://site.test/");
  expect(await webRtcIsHeard()).toBe(false);
});

test("the password stands in no command line, and pages get nothing out of the forwarder", async () => {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`))
    .filter((line) => line.includes("--proxy-server="));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join()).not.toMatch(/pass.{1,3}word/);
  const port = /--proxy-server=http:\/\/127\.0\.0\.1:(\d+)/.exec(lines.join())?.[1];
  const reply = await fetch(`http://127.0.0.1:${port}/`);
  expect([reply.status, await reply.text()]).toEqual([400, ""]);
  expect(agent.output()).not.toMatch(/pass.{1,3}word/);
});

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process ended
  }
};

const closedPort = async () => {
  const gone = await httpProxy({ leadsTo: 1 });
  await gone[Symbol.asyncDispose]();
  return gone.port;
};

test.each<[string, () => Promise<string> | string, RegExp]>([
  [
    "HTTP, wrong password",
    () => http.url.replace(SECRET, "wrong"),
    /the proxy http:\/\/user:\*\*\*@127\.0\.0\.1:\d+ refuses the user name and password \(407\)/,
  ],
  [
    "HTTP, no password",
    () => http.url.replace(`${CREDENTIALS}@`, ""),
    /the proxy http:\/\/127\.0\.0\.1:\d+ wants a user name and password \(407\)/,
  ],
  [
    "SOCKS5, wrong password",
    () => socks.url.replace(SECRET, "wrong"),
    /the proxy socks5:\/\/user:\*\*\*@127\.0\.0\.1:\d+ refuses the user name and password/,
  ],
  [
    "SOCKS5, no password",
    () => socks.url.replace(`${CREDENTIALS}@`, ""),
    /the proxy socks5:\/\/127\.0\.0\.1:\d+ wants/,
  ],
  [
    "nobody there",
    async () => `http://127.0.0.1:${await closedPort()}`,
    /the proxy http:\/\/127\.0\.0\.1:\d+ refuses the connection/,
  ],
  [
    "no SOCKS5 proxy",
    () => `socks5://127.0.0.1:${site.port}`,
    /the proxy socks5:\/\/127\.0\.0\.1:\d+ (is no SOCKS5 proxy|hangs up)/,
  ],
  [
    "TLS where none is",
    () => `https://user:${SECRET}@127.0.0.1:${site.port}`,
    /the proxy https:\/\/user:\*\*\*@127\.0\.0\.1:\d+ (has no valid certificate|hangs up)/,
  ],
])("%s: the navigation fails and says so", async (_name, url, message) => {
  expect(await set(await url())).toBe(false);
  for (const page of ["http://site.test/", "https://site.test/"]) {
    const said = await refused("navigation_failed", words().navigate(page));
    expect(said).toMatch(message);
    expect(said).not.toContain("wrong");
    expect(said).toContain(page);
  }
});

test("a Chromium that died has its proxy again", async () => {
  await set(http.url);
  const ready = guest.ready(60_000);
  process.kill(Number((await ready).chromium.pid), "SIGKILL");
  for await (const event of guest.events(AbortSignal.timeout(30_000)))
    if (event.type === "browser_ready" && event.restarts > 0) break;
  expect(await words().navigate("http://site.test/")).toMatchObject({ title: "site.test" });
});

test("without it the browser is as before, and kept what it keeps", async () => {
  await words().navigate(`http://127.0.0.1:${site.port}/`);
  await words().evaluate("document.cookie = 'kept=yes; max-age=3600'");
  expect(await guest.setProxy(null)).toBe(true);
  expect(await words().navigate(`http://127.0.0.1:${site.port}/`)).toMatchObject({ status: 200 });
  expect(await words().evaluate("document.cookie")).toBe("kept=yes");
  await refused("navigation_failed", words().navigate("http://site.test/"));
  expect(await guest.setProxy(null)).toBe(false);
});
