import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { CreateKeyInput, Key } from "../../src/contract/access.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { fakeClient, hype, type World } from "./harness.ts";

const aKey = (change: Partial<Key> = {}): Key => ({
  id: "0190b5a0-0000-7000-8000-000000000009",
  name: "ci",
  prefix: "hype_abcdefg",
  scope: "operate",
  restriction: null,
  rate_per_minute: null,
  expires_at: null,
  created_at: "2026-01-02T03:04:05.000Z",
  last_used_at: null,
  revoked_at: null,
  ...change,
});

describe("keys create", () => {
  const sent: CreateKeyInput[] = [];
  const client = fakeClient({
    keys: {
      create: async (input) => {
        sent.push(input);
        return { ...aKey({ name: input.name, expires_at: input.expires_at ?? null }), key: "hype_the-key-itself" };
      },
    },
  });

  test("prints the key alone; what to know about it goes to standard error, without the key", async () => {
    const { code, stdout, stderr } = await hype(["keys", "create", "ci"], { client });
    expect(code).toBe(0);
    expect(stdout).toBe("hype_the-key-itself\n");
    expect(stderr).toContain("The key ci (operate) holds until it is revoked. It is not shown again");
    expect(stderr).not.toContain("hype_the-key-itself");
    expect(sent.pop()).toEqual({ name: "ci" });
  });

  test("sends scope, restriction, expiry and rate", async () => {
    const before = Date.now();
    const argv = "keys create ci --scope read --vm ci-* --vm demo --label team=qa --expires 30d --rate 60/min".split(
      " ",
    );
    expect((await hype(argv, { client })).code).toBe(0);
    const { expires_at, ...rest } = sent.pop()!;
    expect(rest).toEqual({
      name: "ci",
      scope: "read",
      restriction: { vms: ["ci-*", "demo"], labels: { team: "qa" } },
      rate_per_minute: 60,
    });
    const days = (Date.parse(expires_at!) - before) / 86_400_000;
    expect(days).toBeWithin(30, 30.01);
    await hype(["keys", "create", "ci", "--expires", "2030-01-01T00:00:00Z", "--rate", "5"], { client });
    expect(sent.pop()).toMatchObject({ expires_at: "2030-01-01T00:00:00.000Z", rate_per_minute: 5 });
  });

  test("--json is the whole of it", async () => {
    const { stdout } = await hype(["keys", "create", "ci", "--json"], { client });
    expect(JSON.parse(stdout)).toEqual({ ...aKey(), key: "hype_the-key-itself" });
  });

  test.each([
    { argv: ["--scope", "root"], said: '--scope "root": expected one of read, operate, admin' },
    { argv: ["--expires", "soon"], said: '--expires "soon": expected a duration' },
    {
      argv: ["--expires", "not-a-day"],
      said: '--expires "not-a-day": expected a duration such as 30d, or an ISO 8601 time',
    },
    { argv: ["--rate", "fast"], said: '--rate "fast": expected calls per minute' },
    { argv: ["--rate", "60/s"], said: '--rate "60/s": expected calls per minute' },
    { argv: ["--label", "team"], said: '--label "team": expected key=value' },
  ])("$argv is a usage error and makes nothing", async ({ argv, said }) => {
    sent.length = 0;
    const { code, stdout, stderr } = await hype(["keys", "create", "ci", ...argv], { client });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
    expect(sent).toEqual([]);
  });
});

describe("keys list", () => {
  const items = [
    aKey({ restriction: { vms: ["ci-*"], labels: { team: "qa" } }, rate_per_minute: 60 }),
    aKey({ name: "old", revoked_at: "2026-01-03T00:00:00.000Z" }),
    aKey({ name: "over", expires_at: "2026-01-03T00:00:00.000Z" }),
    aKey({ name: "\x1b[2Jx", expires_at: "2999-01-03T04:05:06.000Z", last_used_at: new Date().toISOString() }),
  ];
  const client = fakeClient({ keys: { list: async () => ({ items }) } });

  test("shows what holds, harmless, and with --all what held", async () => {
    const { stdout } = await hype(["keys", "list"], { client });
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ").replace(/ \d+[smhd]\b/g, " age"));
    expect(lines).toEqual([
      "NAME KEY SCOPE STATE RATE EXPIRES USED AGE VMS",
      "ci hype_abcdefg… operate active 60/min never never age ci-* team=qa",
      "␛[2Jx hype_abcdefg… operate active - 2999-01-03 04:05 age age all",
    ]);
    const all = (await hype(["keys", "list", "--all"], { client })).stdout;
    expect(all).toMatch(/^old .* revoked/m);
    expect(all).toMatch(/^over .* expired/m);
  });

  test("--json, and nothing to show", async () => {
    const { stdout } = await hype(["keys", "list", "--json"], { client });
    expect(JSON.parse(stdout).items.map(({ name }: Key) => name)).toEqual(["ci", "\x1b[2Jx"]);
    const none = fakeClient({ keys: { list: async () => ({ items: [] }) } });
    expect((await hype(["keys", "list"], { client: none })).stdout).toContain("hype keys create NAME");
  });
});

describe("against the server's own app", () => {
  let server: TestServer;
  beforeAll(() => {
    server = startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const ask = (argv: readonly string[], key = KEY, world: World = {}) =>
    hype([...argv, "--api", server.url, "--key", key], { connect: async (options) => connect(options), ...world });

  test("a key is made, used, seen, revoked, and its traces are in the audit", async () => {
    const { stdout } = await ask(["keys", "create", "ci", "--vm", "ci-*"]);
    const key = stdout.trim();
    expect(key).toMatch(/^hype_[A-Za-z0-9_-]{43}$/);
    server.engine.add("prod");
    expect((await ask(["vms", "create", "ci-1", "--no-wait"], key)).code).toBe(0);
    expect((await ask(["vms", "list", "-q"], key)).stdout).toBe("ci-1\n");
    expect((await ask(["vms", "delete", "prod"], key)).stderr).toContain("error[vm_not_found]");
    expect((await ask(["keys", "list"], key)).stderr).toContain("error[forbidden]");
    expect((await ask(["keys", "list"])).stdout).toMatch(/^ci +hype_\S{7}… +operate +active/m);

    expect((await ask(["keys", "revoke", "ci"])).stdout).toBe("ci is revoked\n");
    expect((await ask(["vms", "list"], key)).stderr).toContain("error[unauthorized]: the key ci was revoked");

    const told = (await ask(["audit", "--by", "ci"])).stdout;
    expect(told).toMatch(/ci +127\.0\.0\.1 +POST \/api\/v1\/vms +202/);
    expect(told).toMatch(/DELETE \/api\/v1\/vms\/prod +404 .*vm_not_found/);
    expect(told).not.toContain(key.slice(12));
    const json = JSON.parse((await ask(["audit", "--vm", "ci-1", "--json"])).stdout);
    expect(json).toMatchObject({ items: [{ key_name: "ci", method: "POST", vm: "ci-1" }], next: null });
    const page = await ask(["audit", "--after", "0", "--limit", "1"]);
    expect(page.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(page.stderr).toContain("there is more: --after 1");
  });

  test.each([
    { argv: ["keys", "create", "Upper"], code: 2, said: "must be 1-63 lower-case letters" },
    { argv: ["keys", "create", "admin"], code: 2, said: "means a key that is built in" },
    { argv: ["keys", "create", "x", "--vm", "a b"], code: 2, said: "must be a VM name; * stands for any letters" },
    { argv: ["keys", "create", "x", "--expires", "2020-01-01"], code: 2, said: "expires_at must lie in the future" },
    { argv: ["keys", "create", "x", "--rate", "0"], code: 2, said: "rate_per_minute" },
    { argv: ["keys", "revoke", "nobody"], code: 1, said: "error[key_not_found]: there is no key nobody" },
    { argv: ["keys", "revoke", "admin"], code: 1, said: "the key admin is built in: remove admin.key" },
    { argv: ["keys", "revoke", "../x"], code: 2, said: "error[invalid_request]" },
    { argv: ["audit", "--limit", "5000"], code: 2, said: "must be between 1 and 1000" },
  ])("$argv ends with $code", async ({ argv, code, said }) => {
    const outcome = await ask(argv);
    expect(outcome.stderr).toContain(said);
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: "" });
  });
});
