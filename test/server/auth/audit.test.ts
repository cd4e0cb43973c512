import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { AuditEntry, AuditList } from "../../../src/contract/index.ts";
import { AuditTrail } from "../../../src/server/auth/audit.ts";
import { Refusals } from "../../../src/server/auth/refusals.ts";
import type { NewAuditEntry } from "../../../src/store/audit.ts";
import { createLog, silentLog } from "../../../src/log/log.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { paths } from "../../../src/config/paths.ts";
import { startServer } from "../../../src/server/start.ts";
import { openStore } from "../../../src/store/open.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";
import { type FakeAgent, startFakeAgent } from "../cdp/fake-agent.ts";
import { KEY, startTestServer, type TestServer } from "../harness.ts";
import { withKey } from "./client.ts";

let server: TestServer;
let agent: FakeAgent;
beforeEach(() => {
  agent = startFakeAgent();
  server = startTestServer({ config: { trustedProxies: ["127.0.0.1/32"] } });
  server.engine.add("demo");
  server.engine.guests.set("demo", {
    cdpSocket: (path: string) => ({ url: agent.url(path), headers: {} }),
    cdpJson: async () => ({ bytes: Buffer.from("{}") }),
    evaluate: async () => ({ tab: "T", type: "number", value: 2, description: null }),
  } as never);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

const audit = async (query = ""): Promise<AuditEntry[]> =>
  ((await (await server.call(`/api/v1/audit${query}`)).json()) as AuditList).items;
const from = (address: string) => ({ "x-forwarded-for": address });

describe("what is told", () => {
  test("a changing call: who, what, where from, how it ended; no query, no body", async () => {
    const key = withKey(server, { name: "ci" });
    const body = JSON.stringify({ name: "web", labels: { secret: "label-secret" } });
    await key.code("/api/v1/vms?wait=false", { method: "POST", body, headers: from("198.51.100.7") });
    await key.code("/api/v1/vms/demo/browser/evaluate", { method: "POST", body: '{"expression":"body-secret"}' });
    await key.code("/api/v1/vms/nobody", { method: "DELETE" });
    const [created, evaluated, deleted, ...rest] = await audit();
    expect(rest).toEqual([]);
    expect(created).toEqual({
      seq: 1,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      key_id: key.id,
      key_name: "ci",
      address: "198.51.100.7",
      method: "POST",
      path: "/api/v1/vms",
      vm: "web",
      status: 202,
      error: null,
      duration_ms: expect.any(Number),
      calls: 1,
    });
    expect(evaluated).toMatchObject({ path: "/api/v1/vms/demo/browser/evaluate", vm: "demo", status: 200 });
    expect(deleted).toMatchObject({ method: "DELETE", vm: "nobody", status: 404, error: "vm_not_found" });
    expect(JSON.stringify(await audit())).not.toMatch(/secret|wait=/);
  });

  test("looking is not told of; opening the CDP door is, with whose token it was", async () => {
    const key = withKey(server);
    for (const path of ["/api/v1/vms", "/api/v1/vms/demo", "/api/v1/events", "/api/v1/system/status", "/metrics"])
      expect(await key.code(path)).toBe(200);
    expect(await audit()).toEqual([]);
    const { ws_url, http_url } = await key.json<{ ws_url: string; http_url: string }>("/api/v1/vms/demo/cdp-token", {
      method: "POST",
    });
    await fetch(http_url.replace("/cdp", "/cdp/json/list")); // with a token: mints nothing
    await fetch(http_url.replace("/cdp", "/cdp/json/close/T1"));
    await key.code("/api/v1/vms/demo/cdp/json/version"); // with the key: its URLs hold a new token
    const socket = new WebSocket(ws_url);
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.close();
    const told = await audit();
    expect(told.map(({ method, path, status }) => `${method} ${path.slice(17)} ${status}`)).toEqual([
      "POST cdp-token 200",
      "GET cdp/json/close/T1 200",
      "GET cdp/json/version 200",
      "GET cdp 101",
    ]);
    expect(new Set(told.map(({ key_id, vm }) => `${key_id} ${vm}`))).toEqual(new Set([`${key.id} demo`]));
    expect(JSON.stringify(told)).not.toContain("token=");
  });

  test("making and revoking keys, by the admin key, without the key that was made", async () => {
    const reply = await server.call("/api/v1/keys", { method: "POST", body: '{"name":"ci"}' });
    expect(reply.headers.get("cache-control")).toBe("no-store");
    const { key } = (await reply.json()) as { key: string };
    await server.call("/api/v1/keys/ci", { method: "DELETE" });
    const told = await audit();
    expect(told.map((entry) => `${entry.key_id} ${entry.method} ${entry.path} ${entry.status}`)).toEqual([
      "admin POST /api/v1/keys 201",
      "admin DELETE /api/v1/keys/ci 200",
    ]);
    expect(JSON.stringify(told) + server.lines.join("")).not.toContain(key.slice(12));
    expect(JSON.stringify(told)).not.toContain(KEY);
  });

  test("refused calls, of every method, with the reason", async () => {
    const reader = withKey(server, { name: "reader", scope: "read", rate_per_minute: 2 });
    await fetch(`${server.url}/api/v1/vms`, { headers: { ...from("198.51.100.1"), authorization: "Bearer wrong" } });
    await fetch(`${server.url}/api/v1/vms`, { headers: { ...from("198.51.100.2"), origin: "https://evil.example" } });
    await reader.code("/api/v1/vms", { method: "POST", body: '{"name":"x"}' });
    await reader.code("/api/v1/vms");
    await reader.code("/api/v1/vms");
    expect((await audit()).map((entry) => `${entry.key_name} ${entry.address} ${entry.status} ${entry.error}`)).toEqual(
      [
        "null 198.51.100.1 401 unauthorized",
        "null 198.51.100.2 403 origin_not_allowed",
        "reader 127.0.0.1 403 forbidden",
        "reader 127.0.0.1 429 rate_limited",
      ],
    );
  });

  test("pages: the newest without `after`, in order; from the beginning with it; by key and VM", async () => {
    const key = withKey(server, { name: "ci" });
    for (let call = 0; call < 5; call++) await server.call("/api/v1/vms/demo/stop", { method: "POST" });
    await key.code("/api/v1/vms/demo/start", { method: "POST" });
    const seqs = async (query: string) => (await audit(query)).map(({ seq }) => seq);
    expect(await seqs("?limit=2")).toEqual([5, 6]);
    expect(await seqs("?after=0&limit=2")).toEqual([1, 2]);
    const page = (await (await server.call("/api/v1/audit?after=0&limit=2")).json()) as AuditList;
    expect(page.next).toBe(2);
    expect(await (await server.call("/api/v1/audit?after=5")).json()).toMatchObject({
      items: [{ seq: 6 }],
      next: null,
    });
    expect(await seqs("?key=ci")).toEqual([6]);
    expect(await seqs(`?key=${key.id}`)).toEqual([6]);
    expect(await seqs("?key=admin&limit=1")).toEqual([5]);
    expect(await seqs("?vm=demo&after=4")).toEqual([5, 6]);
    expect(await seqs("?vm=other")).toEqual([]);
    expect((await server.call("/api/v1/audit?limit=0")).status).toBe(400);
  });
});

describe("a flood", () => {
  test("of wrong keys from one address is two entries", async () => {
    const wrong = { ...from("198.51.100.9"), authorization: "Bearer wrong" };
    for (let call = 0; call < 60; call++) await fetch(`${server.url}/api/v1/vms`, { headers: wrong });
    expect((await audit()).map(({ error, calls }) => `${error} ${calls}`)).toEqual([
      "unauthorized 1",
      "rate_limited 1",
    ]);
  });

  const entry = (address: string | null): NewAuditEntry => ({
    at: "now",
    key_id: "none",
    key_name: null,
    address,
    method: "GET",
    path: "/",
    vm: null,
    status: 401,
    error: "unauthorized",
    duration_ms: 1,
    calls: 1,
  });
  const gathered = () => {
    const told: NewAuditEntry[] = [];
    let now = 0;
    const refusals = new Refusals(
      (one) => told.push(one),
      () => now,
    );
    return { told, refusals, pass: (ms: number) => (now += ms) };
  };

  test("of one caller: the first at once, the others of its minute in one", () => {
    const { told, refusals, pass } = gathered();
    for (let call = 0; call < 1000; call++) refusals.note(entry("a"), "a", true);
    expect(told).toHaveLength(1);
    pass(60_000);
    refusals.note(entry("a"), "a", true);
    expect(told.map(({ calls }) => calls)).toEqual([1, 999, 1]);
    refusals.note(entry("a"), "a", true);
    refusals.end();
    expect(told.map(({ calls }) => calls)).toEqual([1, 999, 1, 1]);
  });

  test("of a hundred thousand callers is bounded, and every call is counted", () => {
    const { told, refusals, pass } = gathered();
    for (let minute = 0; minute < 3; minute++) {
      for (let call = 0; call < 100_000; call++) refusals.note(entry(`${call}`), `${call}`, true);
      pass(60_000);
    }
    refusals.end();
    expect(told.length).toBeLessThan(3 * 110);
    const apart = told.filter(({ address, calls }) => address !== null && calls === 1);
    expect(apart).toHaveLength(3 * 51); // fifty and the first of the rest, anew each minute
    expect(told.reduce((sum, { calls }) => sum + calls, 0)).toBe(300_000);
    expect(told.some(({ address, calls }) => address === null && calls > 90_000)).toBe(true);
    refusals.note(entry("later"), "later", true);
    expect(told.at(-1)?.address).toBe("later");
    refusals.end();
  });
});

describe("writing", () => {
  test("what is not written yet is written when the trail ends", () => {
    const { store } = server;
    const trail = new AuditTrail({ store, log: createLog({ level: "error", write() {} }) });
    const request = new Request("http://localhost/api/v1/vms", { method: "POST" });
    const identity = server.keys.find("admin");
    trail.note(
      request,
      new Response(),
      { identity, cdpToken: null, liveLink: null, isSecure: false, address: null, error: null },
      1,
    );
    expect(store.audit.list({ limit: 10 })).toEqual([]);
    trail[Symbol.dispose]();
    expect(store.audit.list({ limit: 10 })).toHaveLength(1);
  });

  test("a clean end of the server writes what was told last", async () => {
    using home = temporaryDirectory();
    const config = loadConfig({ OVERHYPED_HOME: home.join("state"), OVERHYPED_API_LISTEN: "127.0.0.1:0" });
    const running = await startServer({ config, log: silentLog });
    const key = readFileSync(paths.adminKey(config), "utf8").trim();
    const headers = { authorization: `Bearer ${key}` };
    await fetch(`${running.url}/api/v1/vms/nobody`, { method: "DELETE", headers });
    for (let call = 0; call < 3; call++) await fetch(`${running.url}/api/v1/vms`);
    await running.close();
    using store = openStore(config.dbPath);
    expect(store.audit.list({ limit: 10 }).map((one) => `${one.key_id} ${one.status} ${one.calls}`)).toEqual([
      "admin 404 1",
      "none 401 1",
      "none 401 2",
    ]);
  });

  test("what the database does not take goes to the log, and nothing is thrown", async () => {
    const { store } = server;
    const lines: string[] = [];
    let isFull = false;
    const broken = {
      audit: store.audit,
      write<T>(change: () => T): T {
        if (isFull) throw new Error("disk full");
        return change();
      },
    };
    const trail = new AuditTrail({
      store: broken,
      log: createLog({ level: "info", write: (line) => lines.push(line) }),
    });
    isFull = true;
    const request = new Request("http://localhost/api/v1/vms/demo", { method: "DELETE" });
    const identity = server.keys.find("admin");
    trail.note(
      request,
      new Response(),
      { identity, cdpToken: null, liveLink: null, isSecure: false, address: null, error: null },
      1,
    );
    trail[Symbol.dispose]();
    expect(lines.join("")).toContain("1 entries of the audit could not be written: disk full");
    expect(lines.join("")).toContain('"path":"/api/v1/vms/demo"');
  });
});
