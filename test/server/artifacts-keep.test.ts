import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import type { Download } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { filesBelow, sha256 } from "../artifacts/world.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { refused } from "../lib/refused.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let client: Client;
beforeAll(() => {
  server = startTestServer();
  client = connect({ base: server.url, key: KEY });
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: object = {}): Promise<Response> =>
  server.call(path, { method: "POST", body: JSON.stringify(body) });
const HEADER = "x-overhyped-artifact";
const whole = async (id: string): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.artifacts.content(id)).bytes) pieces.push(piece);
  return Buffer.concat(pieces);
};
const files = () => filesBelow(`${server.home}/artifacts`);

describe("with a real browser", () => {
  let agent: RunningAgent;
  beforeAll(async () => {
    agent = await startAgent();
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(30_000);
    for (const [name, keep] of [
      ["demo", []],
      ["keeper", ["screenshot", "pdf", "har"]],
    ] as const) {
      server.engine.add(name, { keep: [...keep], labels: {} });
      server.engine.guests.set(name, guest);
    }
    await client.browser.navigate("demo", {
      url: "data:text/html,<title>Kept</title><h1>evidence</h1>",
    });
  }, 40_000);
  afterAll(() => agent[Symbol.asyncDispose]());

  test.each([
    {
      of: "screenshot",
      path: "screenshot",
      body: {},
      kind: "screenshot",
      type: "image/png",
      name: /^demo-\d{8}T\d{6}\.png$/,
    },
    {
      of: "a JPEG",
      path: "screenshot",
      body: { format: "jpeg" },
      kind: "screenshot",
      type: "image/jpeg",
      name: /\.jpg$/,
    },
    { of: "PDF", path: "pdf", body: {}, kind: "pdf", type: "application/pdf", name: /\.pdf$/ },
    {
      of: "HAR",
      path: "export-har",
      body: {},
      kind: "har",
      type: "application/json",
      name: /\.har$/,
    },
  ])("?keep=true of $of: the same reply, and the same bytes on the host", async ({ path, body, kind, type, name }) => {
    const reply = await post(`/api/v1/vms/demo/browser/${path}?keep=true`, body);
    const bytes = Buffer.from(await reply.arrayBuffer());
    expect(reply.status).toBe(200);
    const id = reply.headers.get(HEADER)!;
    const artifact = await client.artifacts.get(id);
    expect(artifact).toMatchObject({
      kind,
      content_type: type,
      vm_name: "demo",
      name: expect.stringMatching(name),
    });
    const kept = await whole(id);
    expect(sha256(kept)).toBe(artifact.sha256);
    expect(kind === "har" ? JSON.parse(kept.toString()) : sha256(kept)).toEqual(
      kind === "har" ? JSON.parse(bytes.toString()) : sha256(bytes),
    );
  });

  test("?keep=true of the end of a recording: its film, and the same reply", async () => {
    await client.browser.operate("demo", "start-recording", {});
    await client.browser.navigate("demo", { url: "data:text/html,<title>Film</title><h1>moves</h1>" });
    let id = "";
    const recording = await client.browser.operate(
      "demo",
      "stop-recording",
      {},
      { keepAs: "film.webm", onKept: (artifact) => (id = artifact) },
    );
    expect(await client.artifacts.get(id)).toMatchObject({
      kind: "recording",
      name: "film.webm",
      content_type: "video/webm",
      size_bytes: recording.bytes,
    });
    const film = await server.call(`/api/v1/vms/demo/browser/recordings/${recording.id}`);
    expect(sha256(await whole(id))).toBe(sha256(await film.bytes()));
  });

  test("is not kept unless asked for, under the name asked for, and by the VM's policy unless told not to", async () => {
    const kept = async (vm: string, operation: string, query = "") =>
      (await post(`/api/v1/vms/${vm}/browser/${operation}${query}`)).headers.get(HEADER);
    expect(await kept("demo", "screenshot")).toBeNull();
    expect(await kept("demo", "pdf", "?keep=false")).toBeNull();
    expect(await kept("keeper", "screenshot", "?keep=false")).toBeNull();
    for (const operation of ["screenshot", "pdf", "export-har"]) expect(await kept("keeper", operation)).not.toBeNull();
    for (const name of ["Café 漢.pdf", "one, two,three.pdf"])
      for (const operation of ["pdf", "screenshot"]) {
        const id = await kept("demo", operation, `?keep_as=${encodeURIComponent(name)}`);
        expect((await client.artifacts.get(id!)).name).toBe(name);
      }
  });

  test.each(["../../x", "a/b", ".hidden", "a\nb", "x".repeat(300), ""])("may not be kept as %j", async (name) => {
    const before = files();
    const reply = await post(`/api/v1/vms/demo/browser/screenshot?keep_as=${encodeURIComponent(name)}`);
    expect(reply.status).toBe(400);
    expect(await reply.text()).toContain("must be the name of a file");
    expect(files()).toEqual(before);
  });

  test("an operation with nothing to keep refuses to be asked for it", async () => {
    expect((await post("/api/v1/vms/demo/browser/links?keep=true")).status).toBe(400);
    expect((await post("/api/v1/vms/demo/browser/pdf?keep=yes")).status).toBe(400);
  });

  test("the typed client keeps, and is told the id", async () => {
    const told: string[] = [];
    const onKept = (id: string) => void told.push(id);
    await client.browser.screenshot("demo", {}, { keep: true, onKept });
    await client.browser.operateForBytes("demo", "pdf", {}, { keepAs: "mine.pdf", onKept });
    await client.browser.operate("demo", "export-har", {}, { keep: true, onKept });
    await client.browser.operate("demo", "links", {}, { onKept });
    const kinds = await Promise.all(told.map(async (id) => (await client.artifacts.get(id)).kind));
    expect(kinds).toEqual(["screenshot", "pdf", "har"]);
  });

  test("a download is pulled to the host, whole, under its own name", async () => {
    const html = "<a id=d download='../../a b.txt' href='data:text/plain,0123456789'>get</a>";
    await client.browser.navigate("demo", { url: `data:text/html,${encodeURIComponent(html)}` });
    await client.browser.operate("demo", "click", { selector: "#d" });
    let id: string | undefined;
    while (id === undefined) id = (await client.browser.operate("demo", "list-downloads", {})).items[0]?.id;
    const artifact = await client.browser.keepDownload("demo", id);
    expect(artifact).toMatchObject({
      kind: "download",
      size_bytes: 10,
      sha256: sha256("0123456789"),
      vm_name: "demo",
    });
    expect(artifact.name).not.toMatch(/[/\\]|^\./);
    expect((await whole(artifact.id)).toString()).toBe("0123456789");
    expect((await client.browser.keepDownload("demo", id, { keepAs: "b,c.txt" })).name).toBe("b,c.txt");
    await refused("download_not_found", client.browser.keepDownload("demo", "nothing"));
  });
});

/** A guest that says what a test makes it say, and sends bytes as the test gives them. */
type Body = ReadableStream<Uint8Array> | string;
function hostileGuest(download: Partial<Download>, body: () => Body) {
  const says: Download = {
    id: "d1",
    tab: null,
    url: "https://a.example/",
    name: "a.txt",
    type: "text/plain",
    state: "completed",
    error: null,
    total_bytes: null,
    received_bytes: 0,
    sha256: null,
    by_client: false,
    started_at: 0,
    ended_at: 0,
    ...download,
  };
  const agent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => (request.url.includes("get-download") ? Response.json(says) : new Response(body())),
  });
  return {
    guest: new Guest(`http://127.0.0.1:${agent.port}`, "token"),
    [Symbol.dispose]: () => void agent.stop(true),
  };
}

describe("downloads of a guest that lies, stalls or ends", () => {
  const keep = () => client.browser.keepDownload("liar", "d1");
  beforeAll(() => void server.engine.add("liar", { labels: {} }));
  const run = async (download: Partial<Download>, body: () => Body, work: () => Promise<void>) => {
    using hostile = hostileGuest(download, body);
    server.engine.guests.set("liar", hostile.guest);
    await work();
  };

  test.each([
    { name: "../../x", kept: "x" },
    { name: "\x1b]0;evil\x07\r\nSet-Cookie: a=b", kept: "]0;evilSet-Cookie: a=b" },
    { name: `${"n".repeat(300)}.txt`, kept: `${"n".repeat(251)}.txt` },
    { name: "\ud800'()*\".html", kept: "\ufffd'()*\".html" },
    { name: "..", kept: "download" },
  ])("a hostile name $name is harmless", async ({ name, kept }) => {
    await run(
      { name, type: "text/html", sha256: sha256("x") },
      () => "x",
      async () => {
        const artifact = await keep();
        expect(artifact).toMatchObject({ name: kept, content_type: "text/html" });
        const reply = await server.call(`/api/v1/artifacts/${artifact.id}/content`);
        expect(await reply.text()).toBe("x");
        expect(reply.headers.get("content-type")).toBe("application/octet-stream");
        expect(reply.headers.get("content-disposition")).toBe(
          `attachment; filename*=UTF-8''${encodeURIComponent(kept).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
        );
        expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
        expect(reply.headers.get("set-cookie")).toBeNull();
      },
    );
  });

  test("bytes that are not those it told the hash of are not kept, and nobody else's are taken for them", async () => {
    const before = files();
    const [known] = (await client.artifacts.list()).items;
    await run(
      { sha256: known!.sha256 },
      () => "other bytes",
      async () => {
        expect(await refused("guest_unreachable", keep())).toContain("not those the guest has told the hash of");
      },
    );
    await run(
      { state: "failed" },
      () => "x",
      async () => {
        expect(await refused("guest_unreachable", keep())).toContain("is failed");
      },
    );
    expect(files()).toEqual(before);
  });

  test("bytes without end stop at the quota, with nothing left", async () => {
    const before = files();
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(1_048_576)),
      });
    await run({}, endless, async () => {
      const reply = await post("/api/v1/vms/liar/browser/downloads/d1/keep");
      expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([507, "artifact_quota_exceeded"]);
    });
    expect(files()).toEqual(before);
  });

  /** Sends a part, then nothing; `sent` resolves when it was asked for. */
  const stalling = () => {
    const sent = Promise.withResolvers<void>();
    const body = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(100_000));
          sent.resolve();
        },
      });
    return { body, sent: sent.promise };
  };

  test("a VM that is deleted in the middle: that is said, and nothing is left", async () => {
    const before = files();
    const { body, sent } = stalling();
    server.engine.add("doomed", { labels: {} });
    using hostile = hostileGuest({}, body);
    server.engine.guests.set("doomed", hostile.guest);
    const kept = client.browser.keepDownload("doomed", "d1");
    await sent;
    await server.engine.delete("doomed");
    expect(await refused("vm_not_running", kept)).toContain("doomed was deleted");
    expect(files()).toEqual(before);
  });

  test("a picture that came is kept though its VM is deleted meanwhile", async () => {
    const vm = server.engine.add("brief", { labels: {} });
    const guest = new Guest("http://127.0.0.1:1", "token");
    guest.screenshot = async () => {
      await server.engine.delete("brief");
      return { bytes: new TextEncoder().encode("picture"), contentType: "image/png" };
    };
    server.engine.guests.set("brief", guest);
    const reply = await post("/api/v1/vms/brief/browser/screenshot?keep=true");
    expect([reply.status, await reply.text()]).toEqual([200, "picture"]);
    expect(await client.artifacts.get(reply.headers.get(HEADER)!)).toMatchObject({ vm_id: vm.id, vm_name: "brief" });
  });

  test("a caller that goes away in the middle leaves nothing", async () => {
    const before = files();
    const { body, sent } = stalling();
    await run({}, body, async () => {
      const stop = new AbortController();
      const kept = client.browser.keepDownload("liar", "d1", { signal: stop.signal });
      await sent;
      stop.abort();
      await refused("cancelled", kept);
      while (files().length !== before.length) await new Promise((resolve) => setImmediate(resolve));
    });
  });
});
