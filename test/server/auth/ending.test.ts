import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FakeAgent, startFakeAgent } from "../cdp/fake-agent.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { withKey } from "./client.ts";

let server: TestServer;
let agent: FakeAgent;
beforeEach(() => {
  agent = startFakeAgent();
  server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", {
    cdpSocket: (path: string) => ({ url: agent.url(path), headers: {} }),
    cdpJson: async () => ({ bytes: Buffer.from("{}") }),
  } as never);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

function open(url: string, headers: Record<string, string> = {}) {
  const socket = new (WebSocket as never as new (url: string, options: object) => WebSocket)(url, { headers });
  socket.onerror = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  const opened = new Promise<boolean>((resolve) => {
    socket.onopen = () => resolve(true);
    void closed.then(() => resolve(false));
  });
  return { socket, opened, closed };
}
const door = () => `${server.url.replace("http", "ws")}/api/v1/vms/demo/cdp`;
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const mint = async (key: ReturnType<typeof withKey>) =>
  await key.json<{ ws_url: string; http_url: string }>("/api/v1/vms/demo/cdp-token", { method: "POST" });
const soon = () => new Date(Date.now() + 300).toISOString();

describe("a key that ends takes with it what it holds open", () => {
  for (const [how, input, end, why] of [
    ["revoked", () => ({}), (name: string) => void server.keys.revoke(name), "was revoked"],
    ["expired", () => ({ expires_at: soon() }), () => {}, "has expired"],
  ] as const) {
    test(`${how}: a CDP socket opened with the key is closed with 1008 and the reason, at both ends`, async () => {
      const key = withKey(server, input());
      const other = withKey(server);
      const client = open(door(), bearer(key.key));
      const bystander = open(door(), bearer(other.key));
      expect(await Promise.all([client.opened, bystander.opened])).toEqual([true, true]);
      end(key.name);
      expect(await client.closed).toEqual({ code: 1008, reason: `the key ${key.name} ${why}` });
      await agent.until(() => agent.closes.length > 0);
      expect(agent.closes).toEqual([{ code: 1001, reason: `the key ${key.name} ${why}` }]);
      expect(bystander.socket.readyState).toBe(WebSocket.OPEN);
      bystander.socket.close();
    });

    test(`${how}: an event stream ends with an error event`, async () => {
      const key = withKey(server, input());
      const reply = await key.call("/api/v1/events/vms");
      end(key.name);
      expect(await reply.text()).toEndWith(
        `event: error\ndata: {"code":"unauthorized","detail":"the key ${key.name} ${why}"}\n\n`,
      );
    });

    test(`${how}: a followed log ends`, async () => {
      const key = withKey(server, input());
      mkdirSync(join(server.home, "logs", "demo"), { recursive: true });
      writeFileSync(join(server.home, "logs", "demo", "console.log"), "line\n");
      const reply = await key.call("/api/v1/vms/demo/logs?follow=true");
      end(key.name);
      expect(await reply.text()).toBe("line\n");
    });
  }

  test("a socket opened with a token of the key is closed, too, and the token is void", async () => {
    const key = withKey(server);
    const token = await mint(key);
    const client = open(token.ws_url);
    expect(await client.opened).toBe(true);
    server.keys.revoke(key.name);
    expect(await client.closed).toEqual({ code: 1008, reason: `the key ${key.name} was revoked` });
    const reply = await fetch(`${token.http_url.replace("/cdp", "/cdp/json/version")}`);
    expect(reply.status).toBe(401);
    expect(await reply.text()).toContain(`the key ${key.name} was revoked`);
    expect(await open(token.ws_url).opened).toBe(false);
  });

  test("new calls with it are refused and say why", async () => {
    const key = withKey(server);
    expect(await key.code("/api/v1/vms")).toBe(200);
    server.keys.revoke(key.name);
    const reply = await key.call("/api/v1/vms");
    expect(reply.status).toBe(401);
    expect(await reply.text()).toContain(`the key ${key.name} was revoked`);
  });

  test("revoking through the API ends a stream of the very key that asked", async () => {
    const admin = withKey(server, { scope: "admin" });
    const stream = await admin.call("/api/v1/events/vms");
    expect(await admin.code(`/api/v1/keys/${admin.name}`, { method: "DELETE" })).toBe(200);
    expect(await stream.text()).toContain(`the key ${admin.name} was revoked`);
    expect(await admin.code("/api/v1/keys")).toBe("unauthorized");
  });

  test("nothing of it is counted afterwards", async () => {
    const key = withKey(server);
    const client = open(door(), bearer(key.key));
    await client.opened;
    const stream = await key.call("/api/v1/events/vms");
    server.keys.revoke(key.name);
    await Promise.all([client.closed, stream.text()]);
    const metrics = await (await server.call("/metrics")).text();
    expect(metrics).toContain("hype_cdp_sockets 0");
    expect(metrics).toContain("hype_event_streams 0");
  });
});

describe("tokens", () => {
  test("a key of another scope mints none, and its token opens nothing else", async () => {
    const reader = withKey(server, { scope: "read" });
    expect(await reader.code("/api/v1/vms/demo/cdp-token", { method: "POST" })).toBe("forbidden");
    const token = new URL((await mint(withKey(server, { scope: "admin" }))).http_url).searchParams.get("token");
    for (const path of ["/api/v1/vms", "/api/v1/keys", "/api/v1/vms/demo", "/api/v1/vms/demo/cdp-token"])
      expect((await fetch(`${server.url}${path}?token=${token}`)).status, path).toBe(401);
    expect((await fetch(`${server.url}/api/v1/vms/demo/cdp/json/version?token=${token}`)).status).toBe(200);
  });

  test("count against the rate of the key that minted them", async () => {
    const key = withKey(server, { rate_per_minute: 2 });
    const { http_url } = await mint(key);
    const url = http_url.replace("/cdp", "/cdp/json/version");
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url)).status).toBe(429);
  });
});
