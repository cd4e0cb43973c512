import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type * as v from "valibot";
import { connect } from "../../src/client/client.ts";
import type { ImportProfile, SaveProfile } from "../../src/contract/profile.ts";
import type { CreateVmInput } from "../../src/contract/vm.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { archiveFile, archiveOf } from "../lib/profile-archive.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { aVm, fakeClient, hype, type World } from "./harness.ts";

type SaveProfileInput = v.InferInput<typeof SaveProfile>;
const aProfile = {
  id: "0190b5a0-0000-7000-8000-000000000009",
  name: "alice",
  kind: "state" as const,
  chromium: null,
  cookies: 12,
  origins: 1,
  size_bytes: 2048,
  created_at: "2026-01-02T03:04:05.000Z",
  updated_at: "2026-01-02T03:04:05.000Z",
};
const STATE = { cookies: [{ name: "a", value: "s3cr3t", domain: "one.test" }], origins: [] };

describe("profiles save", () => {
  const sent: SaveProfileInput[] = [];
  const save = async (input: SaveProfileInput) => (sent.push(input), { ...aProfile, omitted: ["\x1b[2Jblob"] });
  const client = fakeClient({ profiles: { save } });

  test("sends VM and name, says what is kept and what was left out", async () => {
    const { code, stdout } = await hype(["profiles", "save", "demo", "--as", "alice", "--replace"], {
      client,
      terminal: { stdout: true },
    });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "alice  12 cookies, 1 origin with storage\nleft out: ␛[2Jblob\n",
    });
    expect(sent.pop()).toEqual({ name: "alice", vm: "demo", replace: true });
  });
  test("without a name it is a usage error", async () => {
    expect(await hype(["profiles", "save", "demo"], { client })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--as NAME"),
    });
    expect(sent).toEqual([]);
  });
});

test("vms create hands the profile on", async () => {
  const sent: CreateVmInput[] = [];
  const create = async (input: CreateVmInput) => (sent.push(input), aVm({ status: "creating" }));
  await hype(["vms", "create", "work", "--profile", "alice", "--no-wait"], { client: fakeClient({ vms: { create } }) });
  expect(sent).toEqual([{ name: "work", profile: "alice", labels: {} }]);
});

describe("rotate-key", () => {
  const ask = (unreadable: string[]) =>
    hype(["profiles", "rotate-key"], {
      client: fakeClient({ profiles: { rotateKey: async () => ({ profiles: 3, unreadable }) } }),
    });
  test("names what could not be opened, and ends with 1 then", async () => {
    expect(await ask([])).toMatchObject({ code: 0, stdout: "3 profiles are sealed with a new key\n", stderr: "" });
    expect(await ask(["bob"])).toMatchObject({ code: 1, stderr: expect.stringContaining("keep the old key: bob") });
  });
});

describe("against the server's own app", () => {
  let server: TestServer;
  beforeAll(() => {
    server = startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const ask = (argv: readonly string[], world: World = {}) =>
    hype([...argv, "--api", server.url, "--key", KEY], { connect: async (options) => connect(options), ...world });

  test("import, list, get, export, delete", async () => {
    using directory = temporaryDirectory();
    const { path: cwd } = directory;
    expect((await ask(["profiles", "list"])).stdout).toContain("hype profiles save VM --as NAME");
    writeFileSync(directory.join("state.json"), JSON.stringify({ ...STATE, omitted: ["what hype state export adds"] }));
    const imported = await ask(["profiles", "import", "alice", "state.json"], { cwd });
    expect(imported).toMatchObject({ code: 0, stdout: "alice  1 cookie, 0 origins with storage\n", stderr: "" });
    expect((await ask(["profiles", "import", "alice", "-"], { stdin: JSON.stringify(STATE) })).stderr).toContain(
      "error[profile_name_taken]",
    );
    expect((await ask(["profiles", "import", "alice", "state.json", "--replace"], { cwd })).code).toBe(0);
    expect((await ask(["profiles", "list"])).stdout).toMatch(/^NAME .*\nalice +state +1 +0 /);
    expect(JSON.parse((await ask(["profiles", "get", "alice", "--json"])).stdout)).toMatchObject({ cookies: 1 });

    const out = directory.join("out.json");
    expect((await ask(["profiles", "export", "alice", "-o", "out.json"], { cwd })).stdout).toContain("out.json");
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ cookies: [{ name: "a", value: "s3cr3t" }] });
    expect(JSON.parse((await ask(["profiles", "export", "alice"])).stdout)).toMatchObject(STATE);

    expect(await ask(["profiles", "delete", "alice"])).toMatchObject({ code: 0, stdout: "alice is deleted\n" });
    expect((await ask(["profiles", "get", "alice"])).stderr).toContain("error[profile_not_found]");
    expect(await ask(["profiles", "rotate-key", "--json"])).toMatchObject({ code: 0 });
  });

  test("the archive of a whole profile comes in and goes out as a file", async () => {
    using directory = temporaryDirectory();
    const { path: cwd } = directory;
    const archive = await archiveOf(archiveFile("Default/Cookies", "c".repeat(2_000_000)));
    writeFileSync(directory.join("whole.tar.zst"), archive);
    const imported = await ask(["profiles", "import", "whole", "whole.tar.zst"], { cwd });
    expect(imported).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^whole {2}whole profile/),
    });
    expect(JSON.parse((await ask(["profiles", "get", "whole", "--json"])).stdout)).toMatchObject({
      kind: "whole",
      size_bytes: archive.length,
    });
    expect((await ask(["profiles", "import", "whole", "whole.tar.zst"], { cwd })).stderr).toContain(
      "profile_name_taken",
    );
    const exported = await ask(["profiles", "export", "whole", "-o", "out.tar.zst"], { cwd });
    expect(exported).toMatchObject({ code: 0, stdout: `out.tar.zst  ${archive.length} bytes\n`, stderr: "" });
    expect(readFileSync(directory.join("out.tar.zst"))).toEqual(archive);
    expect(statSync(directory.join("out.tar.zst")).mode & 0o777).toBe(0o600);
    expect(await ask(["profiles", "export", "whole", "-o", "out.tar.zst"], { cwd })).toMatchObject({ code: 2 });
    expect(await ask(["profiles", "export", "whole"], { terminal: { stdout: true } })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("-o"),
    });
    writeFileSync(directory.join("bad.tar.zst"), archive.subarray(0, -30));
    const bad = await ask(["profiles", "import", "bad", "bad.tar.zst"], { cwd });
    expect(bad).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("cut short") });
    expect((await ask(["profiles", "list"])).stdout).not.toContain("bad");
    await ask(["profiles", "delete", "whole"]);
  });

  test("a file that is there is written over only when that is said", async () => {
    using directory = temporaryDirectory();
    await ask(["profiles", "import", "bob", "-"], { stdin: JSON.stringify(STATE) });
    writeFileSync(directory.join("mine"), "mine", { mode: 0o644 });
    const argv = ["profiles", "export", "bob", "-o", "mine"];
    const refused = await ask(argv, { cwd: directory.path });
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("--force") });
    expect(readFileSync(directory.join("mine"), "utf8")).toBe("mine");
    expect((await ask([...argv, "--force"], { cwd: directory.path })).code).toBe(0);
    expect(statSync(directory.join("mine")).mode & 0o777).toBe(0o600);
    expect((await ask(["profiles", "export", "nobody", "-o", "none"], { cwd: directory.path })).code).toBe(1);
    expect(existsSync(directory.join("none"))).toBe(false);
  });

  test.each([
    ["a bad cookie", { cookies: [{ name: "a", value: "s3cr3t;" }] }, "error[state_invalid]: nothing was taken; mend"],
    ["no state", ["s3cr3t"], "is no storageState"],
    ["no JSON", "s3cr3t", "is not JSON"],
    ["an origin that is none", { origins: [{ origin: "s3cr3t" }] }, "error[invalid_request]"],
  ])("%s is refused without repeating it", async (_what, state, said) => {
    const stdin = typeof state === "string" ? state : JSON.stringify(state);
    const { code, stderr, stdout } = await ask(["profiles", "import", "carl", "-"], { stdin });
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("s3cr3t");
  });
});

test("an import hands on cookies and origins, and nothing else", async () => {
  const sent: Partial<ImportProfile>[] = [];
  const client = fakeClient({
    profiles: { import: async (_name, input) => (sent.push(input as ImportProfile), { ...aProfile, expired: 2 }) },
  });
  const stdin = JSON.stringify({ ...STATE, omitted: [], extra: 1 });
  const { stdout } = await hype(["profiles", "import", "alice", "-"], { client, stdin });
  expect(stdout).toContain("2 cookies were over and are left out");
  expect(sent).toEqual([{ state: STATE as never, replace: false }]);
});
