import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { type Artifact, type ArtifactList, HypeError } from "../../src/contract/index.ts";
import { filesBelow } from "../artifacts/world.ts";
import { refused } from "../lib/refused.ts";
import { withKey } from "./auth/client.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let client: Client;
beforeAll(() => {
  server = startTestServer();
  client = connect({ base: server.url, key: KEY });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("artifacts", () => {
  let artifact: Artifact;
  const BODY = "0123456789";
  const vm = { id: "0190b5a0-0000-7000-8000-00000000dead", name: "gone", labels: { team: "qa" } };
  const make = (name: string, change: object = {}) =>
    server.artifacts.keep({ kind: "download", name, contentType: "text/html", vm, ...change }, Buffer.from(BODY));
  beforeAll(async () => {
    artifact = await make("a.html");
  });
  const content = (headers: Record<string, string> = {}, method = "GET") =>
    server.call(`/api/v1/artifacts/${artifact.id}/content`, { headers, method });

  test.each<{ headers: Record<string, string>; status: number; body: string; range?: string }>([
    { headers: {}, status: 200, body: BODY },
    { headers: { range: "bytes=2-4" }, status: 206, body: "234", range: "bytes 2-4/10" },
    { headers: { range: "bytes=7-" }, status: 206, body: "789", range: "bytes 7-9/10" },
    { headers: { range: "bytes=-2" }, status: 206, body: "89", range: "bytes 8-9/10" },
    { headers: { range: "bytes=2-4", "if-range": `"${"0".repeat(64)}"` }, status: 200, body: BODY },
    { headers: { "if-none-match": `"${"0".repeat(64)}"` }, status: 200, body: BODY },
  ])("content with $headers: $status", async ({ headers, status, body, range }) => {
    const reply = await content(headers);
    expect([reply.status, await reply.text(), reply.headers.get("content-range")]).toEqual([
      status,
      body,
      range ?? null,
    ]);
    expect(reply.headers.get("content-length")).toBe(String(body.length));
    expect(reply.headers.get("etag")).toBe(`"${artifact.sha256}"`);
  });

  test("content that is known is not sent; a range beyond it is refused; HEAD holds no file open", async () => {
    for (const tag of [`"${artifact.sha256}"`, "*", `"x", W/"${artifact.sha256}"`]) {
      const reply = await content({ "if-none-match": tag });
      expect([reply.status, await reply.text()]).toEqual([304, ""]);
    }
    const part = await content({ range: "bytes=2-4", "if-range": `"${artifact.sha256}"` });
    expect(await part.text()).toBe("234");
    expect((await content({ range: "bytes=10-" })).status).toBe(416);
    const before = openFiles();
    for (let n = 0; n < 10; n++) {
      const { status, headers } = await content({}, "HEAD");
      expect([status, headers.get("content-length"), headers.get("etag")]).toEqual([200, "10", `"${artifact.sha256}"`]);
    }
    expect(openFiles()).toBe(before);
  });

  test("readers that leave, or never read, hold no file open", async () => {
    const large = await server.artifacts.keep(
      { kind: "download", name: "large", contentType: "a/b", vm },
      new Uint8Array(8_000_000),
    );
    const before = openFiles();
    const stop = new AbortController();
    for (let n = 0; n < 10; n++) await server.call(`/api/v1/artifacts/${large.id}/content`, { signal: stop.signal });
    expect(openFiles()).toBeGreaterThan(before);
    stop.abort();
    while (openFiles() > before) await new Promise((resolve) => setImmediate(resolve));
    server.artifacts.delete(large.id);
  });

  test("one that is damaged says so", async () => {
    const damaged = await server.artifacts.keep({ kind: "pdf", name: "x", contentType: "a/b", vm }, Buffer.from("dam"));
    await Bun.file(`${server.home}/artifacts/${damaged.sha256.slice(0, 2)}/${damaged.sha256}`).delete();
    const reply = await server.call(`/api/v1/artifacts/${damaged.id}/content`);
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([500, "artifact_damaged"]);
    await client.artifacts.delete(damaged.id);
  });

  test("pages, filters and bad queries", async () => {
    for (const name of ["b", "c"]) await make(name, { kind: "pdf" });
    const first = await client.artifacts.list({ vm: "gone", limit: 2 });
    expect(first.items.map(({ name }) => name)).toEqual(["c", "b"]);
    const rest = await client.artifacts.list({ vm: vm.id, limit: 2, after: first.next! });
    expect([rest.items.map(({ name }) => name), rest.next]).toEqual([["a.html"], null]);
    expect((await client.artifacts.list({ vm: "gone", kind: "pdf" })).items).toHaveLength(2);
    for (const query of ["kind=mp3", "limit=0", "limit=1001", "limit=x", "after=../x", "what=1"])
      expect((await server.call(`/api/v1/artifacts?${query}`)).status, query).toBe(400);
    await refused("artifact_not_found", client.artifacts.get("0190b5a0-0000-7000-8000-000000000000"));
    expect((await server.call("/api/v1/artifacts/..%2fx/content")).status).toBe(400);
  });

  test("a restricted key sees, reads and deletes what its VMs left, and nothing else is there for it", async () => {
    const own = withKey(server, { restriction: { labels: { team: "qa" } } });
    const other = withKey(server, { restriction: { vms: ["go*"], labels: { team: "web" } } });
    const named = withKey(server, { restriction: { vms: ["gone"] } });
    const path = `/api/v1/artifacts/${artifact.id}`;
    const namesOf = async (key: typeof own) =>
      (await key.json<ArtifactList>("/api/v1/artifacts")).items.map(({ name }) => name);
    expect([await namesOf(own), await namesOf(named), await namesOf(other)]).toEqual([
      ["c", "b", "a.html"],
      ["c", "b", "a.html"],
      [],
    ]);
    for (const [method, at] of [
      ["GET", path],
      ["GET", `${path}/content`],
      ["DELETE", path],
    ] as const)
      expect(await other.code(at, { method }), at).toBe("artifact_not_found");
    expect(await own.code(`${path}/content`)).toBe(200);
    expect(await withKey(server, { scope: "read" }).code("/api/v1/artifacts")).toBe("forbidden");
    expect(await own.code(path, { method: "DELETE" })).toBe(204);
    expect(await own.code(path)).toBe("artifact_not_found");
  });

  test("nothing of how a restriction is held shows", async () => {
    expect(Object.keys((await client.artifacts.list()).items[0]!)).not.toContain("vm_labels");
  });

  test("shutting down refuses and leaves nothing", async () => {
    await using ending = startTestServer();
    ending.artifacts[Symbol.dispose]();
    await expect(
      ending.artifacts.keep({ kind: "pdf", name: "x", contentType: "a/b", vm }, Buffer.from("x")),
    ).rejects.toThrow(HypeError);
    expect(filesBelow(`${ending.home}/artifacts`)).toEqual([]);
  });
});

/** Files below artifacts/ this process holds open. */
const openFiles = (): number => {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${server.home}/artifacts/`);
    } catch {
      return false;
    }
  }).length;
};
