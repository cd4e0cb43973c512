import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "../../src/client/client.ts";
import type { ArtifactQuery, Client } from "../../src/client/types.ts";
import type { Artifact } from "../../src/contract/artifact.ts";
import { HypeError } from "../../src/contract/errors.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { aVm, fakeClient, hype } from "./harness.ts";

const ID = "01993b2e-6d7a-7000-8000-0123456789ab";
const BODY = "0123456789";
const SHA256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
const anArtifact = (change: Partial<Artifact> = {}): Artifact => ({
  id: ID,
  kind: "download",
  name: "a.txt",
  content_type: "text/plain",
  size_bytes: 10,
  sha256: SHA256,
  vm_id: aVm().id,
  vm_name: "demo",
  created_at: new Date().toISOString(),
  expires_at: null,
  ...change,
});
/** A server that holds one artifact and sends what the test gives it. */
const holding = (artifact: Artifact, send: () => AsyncIterable<Uint8Array>): Client =>
  fakeClient({
    artifacts: {
      get: async () => artifact,
      content: async () => ({ length: artifact.size_bytes, bytes: send() }),
    },
  });
async function* sending(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("artifacts list and get", () => {
  const asked: ArtifactQuery[] = [];
  const client = fakeClient({
    artifacts: {
      list: async (query) => {
        asked.push(query ?? {});
        return { items: [anArtifact({ name: "evil\x1b[2J\nname" })], next: ID };
      },
      get: async () => anArtifact({ name: "evil\x1b[2J", expires_at: "2027-01-01T00:00:00.000Z" }),
    },
  });

  test("shows a table; names of the guest are harmless; says when there is more", async () => {
    const { code, stdout, stderr } = await hype(["artifacts", "list"], { client });
    expect([code, asked.pop()]).toEqual([0, {}]);
    expect(stdout).toMatch(/^ID +KIND +VM +SIZE +AGE +NAME\n/);
    expect(stdout).toContain("evil␛[2J␊name");
    expect(stdout).not.toContain("\x1b");
    expect(stderr).toBe(`there is more: --after ${ID}\n`);
  });

  test("asks for what it is told to", async () => {
    const argv = `artifacts ls --vm demo --kind pdf --limit 5 --after ${ID} --json`.split(" ");
    const { stdout } = await hype(argv, { client });
    expect(asked.pop()).toEqual({ vm: "demo", kind: "pdf", limit: 5, after: ID });
    expect(JSON.parse(stdout)).toMatchObject({ items: [{ id: ID }], next: ID });
    const { code, stderr } = await hype(["artifacts", "list", "--kind", "mp3"], { client });
    expect([code, stderr]).toEqual([2, expect.stringContaining("expected one of screenshot, pdf, har, download")]);
  });

  test("nothing kept is said", async () => {
    const none = fakeClient({ artifacts: { list: async () => ({ items: [], next: null }) } });
    expect((await hype(["artifacts", "list"], { client: none })).stdout).toBe("no artifacts\n");
  });

  test("one, in words and as JSON", async () => {
    const { stdout } = await hype(["artifacts", "get", ID], { client });
    for (const words of [SHA256, "10 bytes", `demo (${aVm().id})`, "2027-01-01", "evil␛[2J"])
      expect(stdout).toContain(words);
    expect(JSON.parse((await hype(["artifacts", "get", ID, "--json"], { client })).stdout)).toMatchObject({ id: ID });
  });
});

describe("artifacts download", () => {
  const download = async (client: Client, cwd: string, ...more: string[]) =>
    await hype(["artifacts", "download", ID, ...more], { client, cwd });

  test("writes under its own name, says how much, and refuses to overwrite without --force", async () => {
    using directory = temporaryDirectory();
    const client = holding(anArtifact(), () => sending("01234", "56789"));
    expect(await download(client, directory.path)).toMatchObject({
      code: 0,
      stdout: "a.txt  10 B\n",
    });
    expect(readFileSync(directory.join("a.txt"), "utf8")).toBe(BODY);
    writeFileSync(directory.join("a.txt"), "mine");
    const refused = await download(client, directory.path);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("a.txt is there already")]);
    expect(readFileSync(directory.join("a.txt"), "utf8")).toBe("mine");
    const { stdout } = await download(client, directory.path, "--force", "--json");
    expect(JSON.parse(stdout)).toEqual({ file: "a.txt", bytes: 10, sha256: SHA256 });
    expect(readFileSync(directory.join("a.txt"), "utf8")).toBe(BODY);
  });

  test.each([
    { fault: "other bytes", send: () => sending("0123", "4567", "8X"), code: "artifact_damaged" },
    { fault: "too few", send: () => sending("0123"), code: "artifact_damaged" },
    {
      fault: "a wire that breaks",
      send: async function* () {
        yield* sending("0123");
        throw new HypeError("server_unreachable", "gone");
      },
      code: "server_unreachable",
    },
  ])("$fault: nothing stays, and what was there before does", async ({ send, code }) => {
    using directory = temporaryDirectory();
    const client = holding(anArtifact(), send);
    const fails = async (...more: string[]) => {
      const { stderr } = await download(client, directory.path, "--json", ...more);
      expect(JSON.parse(stderr)).toMatchObject({ code });
    };
    await fails();
    expect(readdirSync(directory.path)).toEqual([]);
    writeFileSync(directory.join("a.txt"), "mine");
    await fails("--force");
    expect(readdirSync(directory.path)).toEqual(["a.txt"]);
    expect(readFileSync(directory.join("a.txt"), "utf8")).toBe("mine");
  });

  test("a name the server made up stays in this directory", async () => {
    using directory = temporaryDirectory();
    const client = holding(anArtifact({ name: "../../.ssh/authorized_keys" }), () => sending(BODY));
    expect((await download(client, directory.path)).stdout).toBe("authorized_keys  10 B\n");
    expect(readdirSync(directory.path)).toEqual(["authorized_keys"]);
  });

  test("- is standard output, and no terminal", async () => {
    const client = holding(anArtifact(), () => sending(BODY));
    expect((await download(client, "/nonexistent", "-o", "-")).bytes.toString()).toBe(BODY);
    const shown = await hype(["artifacts", "download", ID, "-o", "-"], {
      client,
      terminal: { stdout: true },
    });
    expect(shown.code).toBe(2);
  });
});

describe("keeping", () => {
  test("--keep of screenshot and pdf tells the artifact's id; without it nothing is asked for", async () => {
    using directory = temporaryDirectory();
    const asked: unknown[] = [];
    const reply = async (options: { keep?: boolean; onKept?: (id: string) => void } = {}) => {
      asked.push(options.keep);
      if (options.keep) options.onKept?.(ID);
      return new Uint8Array(3);
    };
    const client = fakeClient({
      browser: {
        screenshot: (_name, _body, options) => reply(options),
        operateForBytes: (_name, _operation, _body, options) => reply(options),
      },
    });
    for (const [command, file] of [
      ["screenshot", "demo.png"],
      ["pdf", "demo.pdf"],
    ] as const) {
      const run = async (...more: string[]) =>
        (await hype([command, "demo", ...more], { client, cwd: directory.path })).stdout;
      expect(await run("--keep")).toBe(`${file}  3 B  kept as ${ID}\n`);
      expect(JSON.parse(await run("--keep", "--json"))).toMatchObject({ artifact: ID });
      expect(await run()).toBe(`${file}  3 B\n`);
      expect(existsSync(directory.join(file))).toBe(true);
    }
    expect(asked).toEqual([true, true, undefined, true, true, undefined]);
  });

  test("vms create --keep sends the policy", async () => {
    const sent: unknown[] = [];
    const client = fakeClient({
      vms: {
        create: async ({ keep }) => {
          sent.push(keep);
          return aVm({ status: "creating" });
        },
      },
    });
    const create = (...more: string[]) => hype(["vms", "create", "demo", "--no-wait", ...more], { client });
    await create("--keep", "download,pdf", "--keep", "pdf");
    await create();
    expect(sent).toEqual([["download", "pdf"], undefined]);
    expect((await create("--keep", "other")).code).toBe(2);
  });
});

describe("with a server", () => {
  let server: TestServer;
  let client: Client;
  beforeAll(() => {
    server = startTestServer();
    client = connect({ base: server.url, key: KEY });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("what is kept is listed, downloaded and deleted; one that is not there is said, and the others go", async () => {
    using directory = temporaryDirectory();
    const vm = { id: aVm().id, name: "demo", labels: {} };
    const keep = (name: string) =>
      server.artifacts.keep({ kind: "download", name, contentType: "a/b", vm }, Buffer.from(BODY));
    const [one, two] = [await keep("one.txt"), await keep("two.txt")];
    const run = (...argv: string[]) => hype(["artifacts", ...argv], { client, cwd: directory.path });
    expect((await run("list", "--vm", "demo")).stdout).toMatch(/two\.txt\n.*one\.txt\n$/s);
    expect((await run("download", one.id)).code).toBe(0);
    expect(readFileSync(directory.join("one.txt"), "utf8")).toBe(BODY);
    const { code, stdout, stderr } = await run("delete", one.id, ID, two.id);
    expect(code).toBe(1);
    expect(stdout).toBe(`${one.id} is deleted\n${two.id} is deleted\n`);
    expect(stderr).toContain(`there is no artifact ${ID}`);
    expect((await run("list")).stdout).toBe("no artifacts\n");
  });
});
