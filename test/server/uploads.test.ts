import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect as openSocket } from "node:net";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { Guest } from "../../src/guest/guest.ts";
import { rangeOf } from "../../src/server/browser/range.ts";
import { hype } from "../cli/harness.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

setDefaultTimeout(30_000);
let server: TestServer;
let agent: RunningAgent;
let site: StateSite;
let guest: Guest;
let client: Client;
const directory = temporaryDirectory();
beforeAll(async () => {
  server = startTestServer();
  server.engine.add("demo");
  server.engine.add("idle", { status: "stopped" });
  site = serveStateSite();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
  server.engine.guests.set("demo", guest);
  client = connect({ base: server.url, key: KEY });
}, 60_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const put = (name: string, init: RequestInit = {}, vm = "demo") =>
  server.call(`/api/v1/vms/${vm}/browser/uploads/${name}`, { method: "PUT", ...init });
const list = async () => (await client.browser.operate("demo", "list-uploads", {})).items;

describe("an upload", () => {
  test("larger than any other body may be, its length known or not, of any type", async () => {
    const bytes = Buffer.alloc(20_000_000, 7);
    const path = directory.join("large.bin");
    writeFileSync(path, bytes);
    expect(await client.browser.upload("demo", "a/b?".replace("/", "_"), Bun.file(path))).toMatchObject({
      name: "a_b?",
      bytes: 20_000_000,
      sha256: sha256(bytes),
    });
    const chunked = new Response(bytes).body!;
    expect(await client.browser.upload("demo", "größe.txt", chunked, { sha256: sha256(bytes) })).toMatchObject({
      name: "größe.txt",
      sha256: sha256(bytes),
    });
    const typed = await put("c", { body: "x", headers: { "content-type": "text/html" } });
    expect([typed.status, (await typed.json()) as object]).toMatchObject([200, { name: "c", bytes: 1 }]);
    expect((await put("nothing")).status).toBe(200);
    expect((await list()).map(({ name }) => name)).toEqual(["a_b?", "größe.txt", "c", "nothing"]);
    for (const { name } of await list()) await client.browser.operate("demo", "delete-upload", { name });
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ["a name with a slash", () => put("..%2Fetc"), 400, "plain name"],
    ["a name of dots", () => put("%2e%2e%2e"), 400, "dots"],
    ["a checksum that is none", () => put("x", { headers: { "x-content-sha256": "abc" }, body: "x" }), 400, "SHA-256"],
    [
      "a checksum of other bytes",
      () => put("x", { headers: { "x-content-sha256": "0".repeat(64) }, body: "x" }),
      422,
      "upload_mismatch",
    ],
    ["a VM that is stopped", () => put("x", { body: "x" }, "idle"), 409, "vm_not_running"],
    ["a VM there is not", () => put("x", { body: "x" }, "nobody"), 404, "vm_not_found"],
    ["no key", () => put("x", { body: "x", headers: { authorization: "none" } }), 401, "unauthorized"],
  ])("refused: %s", async (_name, ask, status, words) => {
    const reply = await ask();
    expect([reply.status, await reply.text()]).toEqual([status, expect.stringContaining(words)]);
    expect(await list()).toEqual([]);
  });

  test("cut off in the middle leaves nothing, and the next one works", async () => {
    const { hostname, port } = new URL(server.url);
    for (const head of ["Content-Length: 9000000", "Transfer-Encoding: chunked"]) {
      const socket = openSocket(Number(port), hostname);
      socket.write(
        `PUT /api/v1/vms/demo/browser/uploads/half HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${KEY}\r\n${head}\r\n\r\n`,
      );
      const lines = server.lines.length;
      socket.write(
        head.startsWith("T") ? `${(100_000).toString(16)}\r\n${"x".repeat(100_000)}\r\n` : "x".repeat(100_000),
      );
      socket.end();
      while (!server.lines.slice(lines).some((line) => line.includes("uploads/half"))) await Bun.sleep(5); // its line in the log
    }
    expect(await list()).toEqual([]);
    expect((await put("half", { body: "whole" })).status).toBe(200);
    await client.browser.operate("demo", "delete-upload", { name: "half" });
  });
});

test("no other route takes a body without end", async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Buffer.alloc(65_536, 32)),
  });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: endless, duplex: "half" };
  const reply = await server.call("/api/v1/vms/demo/browser/navigate", init as RequestInit);
  expect([reply.status, await reply.text()]).toEqual([413, expect.stringContaining("1048576")]);
  const small = new Response(JSON.stringify({ url: "about:blank" })).body!;
  const taken = await server.call("/api/v1/vms/demo/browser/navigate", { ...init, body: small } as RequestInit);
  expect(taken.status).toBe(200);
  const broken = await server.call("/api/v1/vms/demo/browser/navigate", {
    ...init,
    body: new Response("{").body!,
  } as RequestInit);
  expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining("JSON")]);
});

describe("a download that still arrives", () => {
  const bytesOf = async (id: string, range?: string) => {
    const reply = await server.call(`/api/v1/vms/demo/browser/downloads/${id}`, { headers: range ? { range } : {} });
    return { status: reply.status, range: reply.headers.get("content-range"), body: reply };
  };
  test("gives ranges as far as the bytes are there, and the whole to its end", async () => {
    const page = drive(guest);
    await page.navigate(`${site.origin}/`);
    await page.evaluate("location.href = '/paced'").catch(() => {});
    const find = async () => (await client.browser.operate("demo", "list-downloads", {})).items[0];
    let found = await find();
    while (!found) found = await find();
    const { id } = found;
    site.pace(300_000);
    while (found!.received_bytes < 300_000) found = await find();
    const first = await bytesOf(id, "bytes=10-19");
    expect([first.status, first.range, (await first.body.arrayBuffer()).byteLength]).toEqual([
      206,
      "bytes 10-19/*",
      10,
    ]);
    const cut = await bytesOf(id, "bytes=299990-400000");
    expect([cut.status, (await cut.body.arrayBuffer()).byteLength >= 10]).toEqual([206, true]);
    expect((await bytesOf(id, "bytes=900000-900001")).status).toBe(416);
    const open = await bytesOf(id, "bytes=5-");
    expect([open.status, open.range]).toEqual([200, null]);
    await open.body.body!.cancel();
    const whole = bytesOf(id);
    site.endPaced();
    const { download } = await client.browser.operate("demo", "wait", { download: true });
    expect(download).toMatchObject({ id, state: "completed" });
    expect((await (await whole).body.arrayBuffer()).byteLength).toBe(download!.received_bytes);
  });

  test.each<[string | null, { total: number | null; there: number }, unknown]>([
    [null, { total: null, there: 5 }, null],
    ["bytes=0-3", { total: null, there: 10 }, { from: 0, to: 3, size: "*" }],
    ["bytes=0-30", { total: null, there: 10 }, { from: 0, to: 9, size: "*" }],
    ["bytes=3-", { total: null, there: 10 }, null],
    ["bytes=-3", { total: null, there: 10 }, null],
    ["bytes=3-", { total: 20, there: 10 }, { from: 3, to: 19, size: "20" }],
    ["bytes=-3", { total: 20, there: 10 }, { from: 17, to: 19, size: "20" }],
  ])("%s of %j", (header, extent, range) => expect(rangeOf(header, extent)).toEqual(range as never));
});

describe("on the command line", () => {
  const run = (...argv: string[]) =>
    hype(argv, { connect: async () => client, cwd: directory.path, env: { HOME: directory.path } });
  test("files go up, into an input, and come back", async () => {
    const page = drive(guest);
    await page.navigate(`data:text/html,${encodeURIComponent("<title>In</title><input type=file multiple>")}`);
    writeFileSync(directory.join("one.txt"), "one");
    writeFileSync(directory.join("two.txt"), "second");
    const up = await run("upload", "demo", "one.txt", "two.txt", "--into", "input");
    expect([up.code, up.stdout, up.stderr]).toEqual([0, expect.stringContaining("two.txt  6 B"), ""]);
    expect(await page.evaluate("Promise.all([...document.querySelector('input').files].map((f) => f.text()))")).toEqual(
      ["one", "second"],
    );
    await page.evaluate(
      "(() => { const a = document.createElement('a'); a.href = 'data:text/plain,returned'; a.download = 'back.txt'; a.click(); })()",
    );
    expect(await run("downloads", "wait", "demo", "--name", "*.txt", "--timeout", "20s")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("back.txt  8 B"),
    });
    expect((await run("downloads", "list", "demo")).stdout).toContain("back.txt");
    expect(await run("downloads", "get", "demo", "back.txt")).toMatchObject({ code: 0, stdout: "back.txt  8 B\n" });
    expect(await Bun.file(directory.join("back.txt")).text()).toBe("returned");
    const again = await run("downloads", "get", "demo", "back.txt");
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("--force")]);
    expect((await run("downloads", "get", "demo", "-o", "-")).stdout).toBe("returned");
    expect((await run("downloads", "get", "demo", "back.txt", "--force")).code).toBe(0);
    const kept = await run("downloads", "keep", "demo", "back.txt", "--as", "receipt.txt", "--json");
    const { id } = JSON.parse(kept.stdout);
    expect(await client.artifacts.get(id)).toMatchObject({ kind: "download", name: "receipt.txt", size_bytes: 8 });
    expect((await run("downloads", "keep", "demo")).stdout).toMatch(/^back\.txt {2}8 B {2}kept as [0-9a-f-]+\n$/);
    expect((await run("downloads", "delete", "demo", "back.txt")).stdout).toContain("deleted");
    expect((await run("downloads", "get", "demo", "back.txt")).stderr).toContain("no download back.txt");
    expect((await run("uploads", "list", "demo")).stdout).toMatch(/\n +6 B .*two\.txt\n/);
    expect((await run("uploads", "delete", "demo", "two.txt")).stdout).toBe("two.txt is deleted\n");
    expect((await run("uploads", "list", "demo")).stdout).not.toContain("two.txt");
    expect((await run("uploads", "delete", "demo", "two.txt")).stderr).toContain("two.txt");
    expect(Array.from(new Bun.Glob("*.part").scanSync({ cwd: directory.path, dot: true }))).toEqual([]);
  });
  test.each<[string[], number, string]>([
    [["upload", "demo", "nowhere"], 2, "cannot be read"],
    [["upload", "demo", "."], 2, "not a file"],
    [["upload", "demo", "one.txt", "./one.txt"], 2, "two of the files"],
    [["upload", "demo", "one.txt", "--into", "#none", "--timeout", "1s"], 1, "nothing in the page matches"],
    [["downloads", "wait", "demo", "--timeout", "1s", "--name", "x"], 1, "no such download began"],
  ])("%j", async (argv, code, words) => {
    const outcome = await run(...argv);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(words)]);
  });
  test("a download's name stays a name", async () => {
    const { localName } = await import("../../src/cli/downloads/pick.ts");
    expect(["../../x", ".bashrc", "a\u001b[31mb", "", "x".repeat(300)].map(localName)).toEqual([
      "_.._x",
      "bashrc",
      "a␛[31mb",
      "download",
      "download",
    ]);
  });
});

test("an answer that is no agent's is refused", async () => {
  const strange = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ name: 1 }) });
  try {
    server.engine.add("strange");
    server.engine.guests.set("strange", new Guest(`http://127.0.0.1:${strange.port}`, "token"));
    await refused("guest_unreachable", client.browser.upload("strange", "x", new Blob(["x"])));
  } finally {
    await strange.stop(true);
  }
});
