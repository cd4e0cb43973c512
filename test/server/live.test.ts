import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { connect } from "../../src/client/client.ts";
import { HypeError } from "../../src/contract/index.ts";
import { HEAD, type LiveAgent, pictureOf, RED_JPEG, startLiveAgent } from "../fake/live-agent.ts";
import { withKey } from "./auth/client.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";
import { openLive } from "./live-client.ts";

let server: TestServer;
let agent: LiveAgent;
const client = () => connect({ base: server.url, key: KEY });
const link = (body = {}, name = "demo") => client().live.createLink(name, body);
const start = (options: Parameters<typeof startTestServer>[0] = {}) => {
  server = startTestServer(options);
  for (const name of ["demo", "other"]) {
    server.engine.add(name);
    server.engine.guests.set(name, agent.guest);
  }
};
const asPage = (url: string, path = "link") => {
  const { origin, pathname, hash } = new URL(url);
  return fetch(`${origin}${pathname}/${path}`, { headers: { authorization: `Bearer ${hash.slice(1)}` } });
};
const codeOf = async (reply: Response) => ((await reply.json()) as { code: string }).code;

beforeEach(() => {
  agent = startLiveAgent();
  start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

describe("links", () => {
  test("are told once, listed without what opens them, and open their page's routes", async () => {
    const made = await link({ label: "anna", ttl_seconds: 60 });
    expect(made.url).toStartWith(`${server.url}/live/demo#${made.id}.`);
    expect(made).toMatchObject({ view_only: false, label: "anna", key_id: "admin", watchers: 0 });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(60_000);
    const { url: _url, ...shown } = made;
    expect(await client().live.links("demo")).toEqual({ items: [shown] });
    const reply = await asPage(made.url);
    expect(reply.status).toBe(200);
    const { id, label, view_only, expires_at } = made;
    expect(await reply.json()).toEqual({ id, label, view_only, expires_at, vm: { name: "demo", status: "running" } });
    expect(server.lines.join("\n")).not.toContain(new URL(made.url).hash.slice(1));
  });

  test("open nothing but their VM's live view", async () => {
    const { url } = await link();
    const headers = { authorization: `Bearer ${new URL(url).hash.slice(1)}` };
    for (const path of [
      "/api/v1/vms",
      "/api/v1/vms/demo",
      "/api/v1/vms/demo/control",
      "/api/v1/vms/demo/cdp",
      "/metrics",
    ])
      expect((await fetch(`${server.url}${path}`, { headers })).status, path).toBe(401);
    expect(await codeOf(await asPage(url.replace("/demo#", "/other#")))).toBe("live_link_invalid");
    const another = await link();
    const stranger = openLive(url.replace(/#.{36}/, `#${another.id}`));
    expect(await stranger.opened).toBe(false);
  });

  test("a key opens no page, and neither does a token that is not ours", async () => {
    const made = await link();
    expect(await codeOf(await server.call("/live/demo/link"))).toBe("live_link_invalid");
    const forged = createHmac("sha256", Buffer.alloc(32, 8)).update("x").digest("base64url");
    for (const token of [
      "",
      "x",
      `${made.id}.`,
      `${made.id}.${forged}`,
      `${made.id}.${forged}x`,
      server.tokens.mint(made.vm_id, 60).token,
    ])
      expect((await asPage(`${server.url}/live/demo#${token}`)).status, token).toBeOneOf([401, 403]);
    for (let tries = 0; tries < 12; tries++) await asPage(`${server.url}/live/demo#${made.id}.${forged}`);
    expect((await asPage(`${server.url}/live/demo#${made.id}.${forged}`)).status).toBe(429);
    expect((await asPage(made.url)).status).toBe(200); // one that is right is never slowed
  });

  test.each([
    [{ ttl_seconds: 86_401 }, "ttl_seconds"],
    [{ ttl_seconds: 60.5 }, "ttl_seconds"],
    [{ label: "two\nlines" }, "label"],
    [{ label: "\u202egnp" }, "label"],
    [{ unknown: 1 }, "unknown"],
  ])("%j is refused by name", async (body, field) => {
    const reply = await server.call("/api/v1/vms/demo/live-links", { method: "POST", body: JSON.stringify(body) });
    expect(await reply.json()).toMatchObject({ code: "invalid_request", issues: [{ path: field }] });
  });

  test("survive a restart of the server, and say why they ended", async () => {
    const short = await link({ ttl_seconds: 10 });
    const long = await link();
    const { store } = server;
    store.write(() => {
      const { watchers: _watchers, url: _url, ...row } = short;
      store.liveLinks.prune("2999-01-01T00:00:00.000Z");
      const { watchers: _none, url: _other, ...rest } = long;
      store.liveLinks.insert(rest);
      store.liveLinks.insert({ ...row, expires_at: "2026-01-01T00:00:00.000Z" });
    });
    expect(await (await asPage(short.url)).text()).toContain("the link has run out");
    await client().live.revokeLink(long.id);
    expect(await (await asPage(long.url)).text()).toContain("the link was revoked");
    await expect(client().live.revokeLink("none")).rejects.toMatchObject({ code: "live_link_not_found" });
    await link(); // forgets what ended long ago
    expect((await client().live.links("demo")).items).toHaveLength(2);
  });

  test("a key that sees other VMs neither makes, lists nor revokes them; one that only reads makes none", async () => {
    const made = await link();
    const narrow = withKey(server, { restriction: { vms: ["other"] } });
    expect(await narrow.code("/api/v1/vms/demo/live-links", { method: "POST" })).toBe("vm_not_found");
    expect(await narrow.code("/api/v1/vms/demo/live-links")).toBe("vm_not_found");
    expect(await narrow.code(`/api/v1/live-links/${made.id}`, { method: "DELETE" })).toBe("live_link_not_found");
    expect((await asPage(made.url)).status).toBe(200);
    const reader = withKey(server, { scope: "read" });
    expect(await reader.code("/api/v1/vms/demo/live-links", { method: "POST" })).toBe("forbidden");
    expect(await reader.code("/api/v1/vms/demo/control")).toBe(200);
  });
});

describe("the page", () => {
  test("needs no key, is the same for every name, and runs its own script only", async () => {
    const reply = await fetch(`${server.url}/live/demo`);
    const text = await reply.text();
    expect(await (await fetch(`${server.url}/live/nobody`)).text()).toBe(text);
    expect(text).not.toContain("src=");
    const policy = reply.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toContain("unsafe");
    for (const [tag, directive] of [
      ["script", "script-src"],
      ["style", "style-src"],
    ] as const) {
      const body = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)?.[1] ?? "";
      const hash = new Bun.CryptoHasher("sha256").update(body).digest("base64");
      expect(policy).toContain(`${directive} 'sha256-${hash}'`);
    }
    expect(reply.headers.get("referrer-policy")).toBe("no-referrer");
    expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("the socket", () => {
  test("passes pictures and messages, and only what is one", async () => {
    const page = openLive((await link()).url);
    expect(await page.next("link")).toMatchObject({ link: { vm: { name: "demo" } } });
    expect(await page.next("control")).toMatchObject({ control: null, mine: false, watchers: 1 });
    page.send({ type: "watch" });
    expect(await page.next("picture")).toEqual({ type: "picture", bytes: pictureOf({ ...HEAD }) });
    expect(agent.commands).toEqual([{ type: "watch", max_width: 1280, max_height: 1024, quality: 60 }]);
    const [socket] = agent.sockets;
    socket?.send("no JSON");
    socket?.send(JSON.stringify({ type: "link", link: { view_only: false } }));
    socket?.send(JSON.stringify({ type: "control", mine: true, control: null, watchers: 9 }));
    socket?.send(JSON.stringify({ type: "tabs", watched: null, loading: 7, items: [] }));
    socket?.send(JSON.stringify({ type: "clipboard", text: "not asked for by who acts" }));
    socket?.send(JSON.stringify({ type: "cursor", cursor: "pointer", more: "x" }));
    expect(await page.next("cursor")).toEqual({ type: "cursor", cursor: "pointer" });
    expect(page.arrived).toEqual([]);
    page.socket.close();
    await agent.until(() => agent.closes.length === 1);
  });

  const png = (width: number, height: number) => {
    const image = Buffer.alloc(64);
    image.write("\x89PNG\r\n\x1a\n", "latin1");
    image.writeUInt32BE(width, 16);
    image.writeUInt32BE(height, 20);
    return image;
  };
  const large = Buffer.from(RED_JPEG);
  const sof = large.indexOf(Buffer.from([0xff, 0xc0]));
  large.writeUInt16BE(65_500, sof + 5);
  large.writeUInt16BE(65_500, sof + 7);
  test.each<[string, Buffer]>([
    ["markup", pictureOf(HEAD, Buffer.from("<svg onload=alert(1)>"))],
    ["another type than it says", pictureOf({ ...HEAD, format: "png" })],
    ["a type we do not know", pictureOf({ ...HEAD, format: "svg+xml" })],
    ["a bomb of a JPEG", pictureOf(HEAD, large)],
    ["a bomb of a PNG", pictureOf({ ...HEAD, format: "png" }, png(60_000, 60_000))],
    ["no size", pictureOf({ ...HEAD, width: 0 })],
    ["no head", pictureOf("", RED_JPEG)],
    ["a head that never ends", Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    ["nothing", Buffer.alloc(0)],
    [
      "a JPEG that goes round in circles",
      pictureOf(HEAD, Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0, 0, 0])),
    ],
  ])("a picture that is %s ends the connection", async (_what, message) => {
    const page = openLive((await link()).url);
    await page.next("control");
    agent.sockets[0]?.send(message);
    expect(await page.closed).toEqual({ code: 1011, reason: "the guest sent a picture that is none" });
    expect(page.arrived.map(({ type }) => type)).toEqual(["link"]);
  });

  test("who has no control acts on nothing; a link for watching cannot take it", async () => {
    const made = await link();
    const page = openLive(made.url);
    const watcher = openLive((await link({ view_only: true })).url);
    await Promise.all([page.next("control"), watcher.next("control")]);
    const click = { type: "mouse", action: "down", x: 1, y: 2, button: "left" };
    page.send(click);
    expect(await page.next("error")).toMatchObject({ code: "control_held" });
    watcher.send(click);
    expect(await watcher.next("error")).toMatchObject({ code: "view_only" });
    watcher.send({ type: "take", force: true });
    expect(await watcher.next("error")).toMatchObject({ code: "view_only" });
    page.send("{");
    expect(await page.next("error")).toMatchObject({ code: "invalid_request" });
    page.send({ type: "navigate", url: "x".repeat(9000) });
    expect(await page.next("error")).toMatchObject({ code: "invalid_request" });
    page.send({ type: "take" });
    expect(await page.next("control", ({ mine }) => mine === true)).toMatchObject({ control: { link: made.id } });
    page.send(click);
    await agent.until(() => agent.commands.length === 1);
    expect(agent.commands).toMatchObject([click]);
    page.send("x".repeat(1024 * 1024 + 1));
    expect((await page.closed).code).toBe(1008);
  });

  test("a web page of another origin, another host and a foreign name are refused", async () => {
    const { url } = await link();
    expect(await openLive(url, { headers: { origin: "https://evil.example" } }).opened).toBe(false);
    expect(await openLive(url, { headers: { host: "evil.example" } }).opened).toBe(false);
    expect(await openLive(url, { headers: { origin: server.url } }).opened).toBe(true);
  });

  test("revoking the link, or the key that made it, ends what it opened at once", async () => {
    const key = withKey(server);
    const byKey = await key.json<{ url: string }>("/api/v1/vms/demo/live-links", { method: "POST" });
    const made = await link();
    const [first, second] = [openLive(made.url), openLive(byKey.url)];
    await Promise.all([first.next("control"), second.next("control", ({ watchers }) => watchers === 2)]);
    expect((await client().live.links("demo")).items.map(({ watchers }) => watchers)).toEqual([1, 1]);
    first.send({ type: "take" });
    await first.next("control", ({ mine }) => mine === true);
    expect(await client().live.revokeLink(made.id)).toMatchObject({ id: made.id });
    expect(await first.closed).toEqual({ code: 1008, reason: "the link was revoked" });
    expect(server.engine.get("demo").control).toBeNull();
    server.keys.revoke(key.name);
    expect(await second.closed).toEqual({ code: 1008, reason: `the key ${key.name} was revoked` });
    expect(await openLive(byKey.url).opened).toBe(false);
    await agent.until(() => agent.closes.length === 2);
    expect(await (await server.call("/metrics")).text()).toContain("hype_live_sockets 0");
  });

  test("a link that runs out ends its pages", async () => {
    const made = await link({ ttl_seconds: 10 });
    const { watchers: _watchers, url: _url, ...row } = made;
    server.store.write(() => {
      server.store.liveLinks.prune("2999-01-01T00:00:00.000Z");
      server.store.liveLinks.insert({ ...row, expires_at: new Date(Date.now() + 300).toISOString() });
    });
    const page = openLive(made.url);
    await page.next("control");
    expect(await page.closed).toEqual({ code: 1008, reason: "the link has run out" });
  });

  test("a VM that ends and a server that ends say so", async () => {
    const { url } = await link();
    const page = openLive(url);
    await page.next("control");
    server.engine.gone.get("demo")?.abort(new HypeError("vm_not_running", "demo is being stopped"));
    expect(await page.closed).toEqual({ code: 1012, reason: "demo is being stopped" });
    const other = openLive((await link({}, "other")).url);
    await other.next("control");
    server.shutDown.abort();
    expect(await other.closed).toEqual({ code: 1001, reason: "the server is shutting down" });
  });

  test("a VM that is paused is no picture that stands still", async () => {
    const page = openLive((await link()).url);
    await page.next("control");
    server.engine.emit("VM_PAUSED", server.engine.get("other"));
    server.engine.emit("VM_PAUSED", server.engine.get("demo"));
    expect(await page.closed).toEqual({ code: 1012, reason: "demo is paused" });
  });

  test("the audit names the link", async () => {
    const made = await link();
    const page = openLive(made.url);
    await page.next("control");
    const { items } = await client().audit({ vm: "demo" });
    expect(items.at(-1)).toMatchObject({
      path: `/live/demo/socket/${made.id}`,
      status: 101,
      key_id: "admin",
      vm: "demo",
      address: "127.0.0.1",
    });
  });
});
