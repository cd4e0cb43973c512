import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import {
  ExportState,
  ImportState,
  MAX_PROFILE_BYTES,
  type Profile,
  type StorageState,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { archiveFile, archiveOf } from "../lib/profile-archive.ts";
import { withKey } from "./auth/client.ts";
import { startTestServer, type TestServer } from "./harness.ts";
import { replyChecker } from "./openapi-check.ts";

setDefaultTimeout(60_000); // a real Chromium starts, and large states travel
const SECRET = "s3cr3t-c00kie-0f-alice";
const PROFILES = "/api/v1/profiles";

let server: TestServer;
let agent: RunningAgent;
let guest: Guest;
beforeAll(async () => {
  server = startTestServer();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
  server.engine.add("demo");
  server.engine.guests.set("demo", guest);
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const stateOf = (value: string, more: StorageState["origins"] = []) => ({
  cookies: [{ name: "login", value, domain: "one.test" }],
  origins: [{ origin: "https://one.test", localStorage: [{ name: "token", value }] }, ...more],
});
const send = async (method: string, path: string, body?: unknown) => {
  const reply = await server.call(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await reply.text();
  return { status: reply.status, text, json: text === "" ? null : JSON.parse(text) };
};
const fill = (state: unknown) => guest.state.import(v.parse(ImportState, { state, replace: true }));
const megabytes = (count: number) => [{ name: "large", value: "v".repeat(count * 1024 * 1024) }];

describe("a profile over HTTP", () => {
  test("is saved of a browser, listed, replaced, exported and deleted; every reply is as the document says", async () => {
    await fill(stateOf(SECRET));
    const saved = await send("POST", PROFILES, { name: "alice", vm: "demo" });
    expect(saved).toMatchObject({ status: 201, json: { name: "alice", cookies: 1, origins: 1 } });
    expect(saved.text).not.toContain(SECRET);
    expect((await send("POST", PROFILES, { name: "alice", vm: "demo" })).json.code).toBe("profile_name_taken");
    const again = await send("POST", PROFILES, { name: "alice", vm: "demo", replace: true });
    expect(again.json).toMatchObject({ id: saved.json.id });
    expect((await send("GET", PROFILES)).json).toEqual({ items: [again.json] });
    expect((await send("GET", `${PROFILES}/alice`)).json).toEqual(again.json);

    const exported = await server.call(`${PROFILES}/alice/state`);
    expect(exported.headers.get("cache-control")).toBe("no-store");
    const { cookies, origins } = await guest.state.export(v.parse(ExportState, {}));
    expect(await exported.json()).toEqual({ cookies, origins });

    expect(await send("DELETE", `${PROFILES}/alice`)).toMatchObject({ status: 204, text: "" });
    for (const [method, path] of [
      ["GET", "alice"],
      ["GET", "alice/state"],
      ["DELETE", "alice"],
    ] as const)
      expect((await send(method, `${PROFILES}/${path}`)).json.code).toBe("profile_not_found");
  });

  test.each([
    ["POST", PROFILES, { name: "alice", vm: "nobody" }, "vm_not_found"],
    ["POST", PROFILES, { name: "Alice!", vm: "demo" }, "invalid_request"],
    ["POST", PROFILES, { name: "alice" }, "invalid_request"],
    ["POST", PROFILES, { name: "alice", vm: "stopped" }, "vm_not_running"],
    ["PUT", `${PROFILES}/alice/state`, { state: { cookies: [{ name: "x", value: SECRET }] } }, "state_invalid"],
    ["PUT", `${PROFILES}/alice/state`, { state: { origins: [{ origin: "one.test" }] } }, "invalid_request"],
    ["PUT", `${PROFILES}/a.b/state`, { state: {} }, "invalid_request"],
    ["POST", `/api/v1/vms`, { name: "work", profile: "No Name" }, "invalid_request"],
  ])("%s %s %j is %s", async (method, path, body, code) => {
    if (!server.engine.rows.has("stopped")) server.engine.add("stopped", { status: "stopped" });
    const { json, text } = await send(method, path, body);
    expect(json.code).toBe(code);
    expect(text).not.toContain(SECRET);
    expect((await send("GET", PROFILES)).json.items).toEqual([]);
  });

  test("replies stand in the OpenAPI document", async () => {
    const { json: document } = await send("GET", "/openapi.json");
    const faults = replyChecker(document);
    for (const [method, path, body] of [
      ["PUT", `${PROFILES}/bob/state`, { state: stateOf("1") }],
      ["POST", PROFILES, { name: "carl", vm: "demo" }],
      ["GET", PROFILES],
      ["GET", `${PROFILES}/bob`],
      ["GET", `${PROFILES}/bob/state`],
      ["POST", `${PROFILES}/rotate-key`],
      ["DELETE", `${PROFILES}/bob`],
      ["DELETE", `${PROFILES}/carl`],
    ] as const) {
      const reply = await server.call(path, { method, ...(body && { body: JSON.stringify(body) }) });
      const type = reply.headers.get("content-type");
      expect(faults(method, path, { status: reply.status, type, body: await reply.text() })).toEqual([]);
      expect(reply.ok).toBe(true);
    }
  });
});

describe("who may what", () => {
  const inputs: [method: string, path: string, body?: object][] = [
    ["GET", PROFILES],
    ["GET", `${PROFILES}/mine`],
    ["GET", `${PROFILES}/mine/state`],
    ["POST", PROFILES, { name: "mine", vm: "demo", replace: true }],
    ["PUT", `${PROFILES}/mine/state`, { state: stateOf(SECRET), replace: true }],
    ["POST", "/api/v1/vms", { name: "made", profile: "mine" }],
    ["POST", `${PROFILES}/rotate-key`],
    ["DELETE", `${PROFILES}/mine`],
  ];
  const codes = async (key: ReturnType<typeof withKey>) => {
    await send("PUT", `${PROFILES}/mine/state`, { state: stateOf(SECRET), replace: true });
    server.engine.rows.delete("made");
    const found: (string | number)[] = [];
    for (const [method, path, body] of inputs)
      found.push(await key.code(path, { method, ...(body && { body: JSON.stringify(body) }) }));
    return found;
  };
  test("read sees that they are there; operate has them; the key of the keys is admin's", async () => {
    const no = "forbidden";
    expect(await codes(withKey(server, { scope: "read" }))).toEqual([200, 200, no, no, no, no, no, no]);
    expect(await codes(withKey(server, { scope: "operate" }))).toEqual([200, 200, 200, 201, 200, 201, no, 204]);
    expect(await codes(withKey(server, { scope: "admin" }))).toEqual([200, 200, 200, 201, 200, 201, 200, 204]);
  });
  test("a key of some VMs has none, though it sees the VM", async () => {
    for (const restriction of [{ vms: ["demo", "made"] }, { labels: { team: "web" } }])
      expect(await codes(withKey(server, { restriction }))).toEqual(Array.from(inputs, () => "forbidden"));
  });
});

describe("large states", () => {
  test("5 MB go into a browser, into a profile, and out again", async () => {
    const parts = ["https://a.test", "https://b.test"].map((origin) => ({ origin, localStorage: megabytes(2.5) }));
    const state = { cookies: [], origins: parts };
    const imported = await send("POST", "/api/v1/vms/demo/browser/import-state", { state, replace: true });
    expect(imported).toMatchObject({ status: 200, json: { origins: 2 } });
    const saved = await send("POST", PROFILES, { name: "large", vm: "demo" });
    expect(saved.json.size_bytes).toBeGreaterThan(5 * 1024 * 1024);
    const content = (await send("GET", `${PROFILES}/large/state`)).json;
    expect(content).toEqual(state);
    expect((await send("PUT", `${PROFILES}/large/state`, { state: content, replace: true })).status).toBe(200);
    await send("DELETE", `${PROFILES}/large`);
    await fill({});
  });

  const body = (bytes: number) => `{"state":{},"pad":"${"x".repeat(bytes)}"}`;
  const chunked = (text: string) =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });
  test("every other body ends at 1 MiB as before, also one that does not say its length", async () => {
    for (const path of ["/api/v1/vms", PROFILES, "/api/v1/vms/demo/browser/set-cookies", `${PROFILES}/rotate-key/`])
      for (const sent of [body(1_100_000), chunked(body(1_100_000))]) {
        const headers = { "content-type": "application/json" };
        const reply = await server.call(path, { method: "POST", body: sent, headers });
        expect(await reply.json()).toMatchObject({ code: "payload_too_large", details: { limit_bytes: 1_048_576 } });
      }
  });
  test("a large one ends at its own limit, and its place is free again", async () => {
    const limit = MAX_PROFILE_BYTES + 1_048_576;
    for (let round = 0; round < 4; round++) {
      const reply = await server.call(`${PROFILES}/x/state`, { method: "PUT", body: body(limit) });
      expect(await reply.json()).toMatchObject({ code: "payload_too_large", details: { limit_bytes: limit } });
      const just = await server.call(`${PROFILES}/x/state`, { method: "PUT", body: body(limit - 100) });
      expect(await just.json()).toMatchObject({ code: "invalid_request" });
    }
  });
  test("more of them at once than memory is kept for are sent away, not taken in; one that breaks off frees its place", async () => {
    const headers = { "content-type": "application/json" };
    const path = `${PROFILES}/x/state`;
    const stop = new AbortController();
    const four = Array.from({ length: 4 }, () => {
      const endless = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
      });
      return server.call(path, { method: "PUT", body: endless, headers, signal: stop.signal });
    });
    const first = await Promise.race(four); // whichever comes fourth
    expect(first.status).toBe(429);
    expect(first.headers.get("retry-after")).toBe("1");
    stop.abort();
    await Promise.allSettled(four);
    // Who went away holds nothing: the place of all of them comes free.
    const large = () => server.call(path, { method: "PUT", body: body(3_000_000), headers });
    for (const _place of four) while ((await large()).status === 429);
  });
});

test("nothing of the content stands in logs, events, audit or files", async () => {
  await fill(stateOf(SECRET));
  await send("POST", PROFILES, { name: "alice", vm: "demo" });
  await send("PUT", `${PROFILES}/bob/state`, { state: stateOf(SECRET) });
  await send("PUT", `${PROFILES}/bob/state`, { state: stateOf(`${SECRET};`), replace: true });
  await send("POST", `${PROFILES}/rotate-key`);
  const { json } = await send("GET", `${PROFILES}/alice/state`);
  expect(JSON.stringify(json)).toContain(SECRET); // it is there
  const audit = await send("GET", "/api/v1/audit?limit=1000");
  expect(audit.text).toContain("/api/v1/profiles/bob/state");
  const told = [audit.text, JSON.stringify(server.engine.log), server.lines.join("\n")];
  for (const text of told) expect(text).not.toContain(SECRET);
  const files = readdirSync(server.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name)).toContain("profiles.key");
  for (const { parentPath, name } of files)
    expect(readFileSync(join(parentPath, name)).includes(SECRET), name).toBe(false);
  const { items } = (await send("GET", PROFILES)).json as { items: Profile[] };
  expect(items.map(({ name }) => name)).toContain("alice");
});

describe("the archive of a whole profile over HTTP", () => {
  const openFiles = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith(".sealed");
      } catch {
        return false; // closed meanwhile
      }
    });

  test("streams in and out; a reader that goes away, or never reads, holds no file open", async () => {
    const noise = randomBytes(24 * 1024 * 1024).toString("latin1"); // nothing compresses it
    const archive = await archiveOf(archiveFile("Default/Cookies", noise));
    const path = `${PROFILES}/large/archive`;
    const put = await server.call(path, {
      method: "PUT",
      body: new Blob([archive]),
      headers: { "content-type": "application/zstd" },
    });
    expect([put.status, await put.json()]).toEqual([
      200,
      expect.objectContaining({ kind: "whole", size_bytes: archive.length, cookies: 7, origins: 3 }),
    ]);
    const got = await server.call(path);
    expect(got.headers.get("content-type")).toBe("application/zstd");
    expect(Buffer.from(await got.arrayBuffer()).equals(archive)).toBe(true);
    for (let nth = 0; nth < 5; nth++) {
      const away = new AbortController();
      const reply = await server.call(path, { signal: away.signal });
      if (nth % 2 === 0) await reply.body!.getReader().read();
      away.abort();
    }
    while (openFiles().length > 0) await new Promise((next) => setImmediate(next));
    const bad = await server.call(path, { method: "PUT", body: new Blob(["no archive"]) });
    expect(bad.status).toBe(409);
    const worse = await server.call(`${path}?replace=true`, { method: "PUT", body: new Blob(["no archive"]) });
    expect([worse.status, ((await worse.json()) as { code: string }).code]).toEqual([400, "invalid_request"]);
    expect((await send("GET", `${PROFILES}/large`)).json).toMatchObject({ size_bytes: archive.length });
    await send("DELETE", `${PROFILES}/large`);
  });
});
