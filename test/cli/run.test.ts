import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ConnectOptions } from "../../src/client/types.ts";
import { ERRORS, HypeError } from "../../src/contract/errors.ts";
import { commandDefinitions } from "../../src/cli/definitions.ts";
import { helpFor, overview } from "../../src/cli/help.ts";
import { colours } from "../../src/cli/output/colours.ts";
import { fakeClient, hype } from "./harness.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const failing = (error: unknown) =>
  fakeClient({
    vms: {
      get: async () => {
        throw error;
      },
    },
  });

describe("help", () => {
  const plain = colours(false);

  test("of every command", () => {
    const definitions = commandDefinitions();
    const pages = definitions.map(({ path }) => helpFor([...path, "--help"], definitions, plain));
    expect([overview(definitions, plain), ...pages].join("\n--------\n")).toMatchSnapshot();
  });

  test("every option is explained, every command described", () => {
    for (const { description, options } of commandDefinitions()) {
      expect(description).not.toBe("");
      for (const option of options) expect(option.description).not.toBe("");
    }
  });

  test.each([
    { argv: [], said: "Begin with" },
    { argv: ["--help"], said: "Begin with" },
    { argv: ["help"], said: "Begin with" },
    { argv: ["vms", "--help"], said: "vms pause" },
    { argv: ["help", "vms", "create"], said: "--kernel-cmdline" },
    { argv: ["eval", "demo", "1", "-h"], said: "--raw" },
  ])("hype $argv goes to standard output and ends well", async ({ argv, said }) => {
    const { code, stdout, stderr } = await hype(argv);
    expect(code).toBe(0);
    expect(stdout).toContain(said);
    expect(stderr).toBe("");
  });
});

describe("a wrong command line", () => {
  test.each([
    { argv: ["vms"], said: "needs a command" },
    { argv: ["vms", "lst"], said: "Did you mean `hype vms list`?" },
    { argv: ["srve"], said: "Did you mean `hype serve`?" },
    { argv: ["create", "demo"], said: "Did you mean `hype vms create`?" },
    { argv: ["quite-unlike"], said: "there is no command `hype quite-unlike`" },
    { argv: ["vms", "create"], said: "hype vms create: an argument is missing" },
    { argv: ["vms", "create", "a", "b"], said: "one argument too many" },
    { argv: ["vms", "get", "a", "--colour"], said: 'unknown option ("--colour")' },
    { argv: ["vms", "get", "a", "--api"], said: "hype vms get: " },
    { argv: ["--frobnicate"], said: "unknown option --frobnicate" },
    { argv: ["--theme", "light", "--server=http://127.0.0.1:1"], said: "needs a terminal" },
    { argv: ["tui", "--server", "http://127.0.0.1:1"], said: "needs a terminal" },
    { argv: ["--theme"], said: "unknown option --theme" },
    { argv: ["completion", "csh"], said: "bash, zsh, fish" },
  ])("$argv is told on standard error with exit code 2", async ({ argv, said }) => {
    const { code, stdout, stderr } = await hype(argv);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toStartWith("error[usage]: ");
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("    at ");
  });

  test("what follows -- is no option", async () => {
    const client = fakeClient({
      browser: { evaluate: async (_name, body) => ({ tab: "", type: "", value: body.expression, description: null }) },
    });
    expect((await hype(["eval", "demo", "--", "--help"], { client })).stdout).toBe('"--help"\n');
  });
});

describe("errors", () => {
  test.each(Object.entries(ERRORS))("%s ends with its exit code", async (code, row) => {
    const client = failing(new HypeError(code as keyof typeof ERRORS, "what happened"));
    const outcome = await hype(["vms", "get", "demo"], { client });
    expect(outcome.code).toBe(row.exit);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toStartWith(`error[${code}]: what happened\n`);
  });

  test("carry remedy, issues and ref, and are harmless on a terminal", async () => {
    const issues = [{ path: "cpu_cores", message: "must be at least 1" }];
    const client = failing(new HypeError("invalid_request", "no \x1b[2J good", { issues, ref: "ab12" }));
    const { stderr } = await hype(["vms", "get", "demo"], { client });
    expect(stderr).toBe(
      "error[invalid_request]: no ␛[2J good\n  cpu_cores: must be at least 1\n  ref: ab12\n  remedy: Mend the fields named in `issues`.\n",
    );
  });

  test("are problem documents on standard error with --json", async () => {
    const client = failing(new HypeError("vm_not_found", "there is no VM demo", { name: "demo" }));
    const { code, stdout, stderr } = await hype(["vms", "get", "demo", "--json"], { client });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toEqual({
      type: "docs/errors.md#vm_not_found",
      title: "No such VM",
      status: 404,
      detail: "there is no VM demo",
      code: "vm_not_found",
      remedy: ERRORS.vm_not_found.remedy,
      details: { name: "demo" },
    });
  });

  test("that are bugs say so, with their stack", async () => {
    const { code, stderr } = await hype(["vms", "get", "demo"], { client: failing(new TypeError("x is undefined")) });
    expect(code).toBe(1);
    expect(stderr).toContain("error[internal]: TypeError: x is undefined");
    expect(stderr).toContain("please report it");
  });
});

describe("the key", () => {
  const KEY = "hype_local-admin-key-of-a-test";
  async function keySent(argv: readonly string[], env: Record<string, string> = {}) {
    using home = temporaryDirectory();
    await Bun.write(join(home.path, "admin.key"), `${KEY}\n`);
    const connections: ConnectOptions[] = [];
    const client = fakeClient({ vms: { list: async () => ({ items: [], total: 0 }) } });
    const world = { client, connections, env: { OVERHYPED_HOME: home.path, ...env } };
    expect((await hype(["vms", "list", ...argv], world)).code).toBe(0);
    return connections[0];
  }

  test.each([
    { name: "the admin key of this machine by itself", argv: [], env: {}, key: KEY, base: "http://127.0.0.1:7777" },
    {
      name: "OVERHYPED_API_KEY before it",
      argv: [],
      env: { OVERHYPED_API_KEY: "k".repeat(16) },
      key: "k".repeat(16),
      base: "http://127.0.0.1:7777",
    },
    {
      name: "--key before both",
      argv: ["--key", "f".repeat(16)],
      env: { OVERHYPED_API_KEY: "k".repeat(16) },
      key: "f".repeat(16),
      base: "http://127.0.0.1:7777",
    },
    {
      name: "the admin key to another loopback port",
      argv: ["--api", "http://localhost:1"],
      env: {},
      key: KEY,
      base: "http://localhost:1",
    },
    {
      name: "no admin key to another machine",
      argv: ["--api", "http://192.0.2.1:7777"],
      env: {},
      key: null,
      base: "http://192.0.2.1:7777",
    },
    {
      name: "no admin key to a look-alike name",
      argv: ["--api", "http://127.0.0.1.evil.example:7777"],
      env: {},
      key: null,
      base: "http://127.0.0.1.evil.example:7777",
    },
    {
      name: "--api before OVERHYPED_API_BASE",
      argv: ["--api", "http://localhost:1"],
      env: { OVERHYPED_API_BASE: "http://localhost:2" },
      key: KEY,
      base: "http://localhost:1",
    },
  ])("sends $name", async ({ argv, env, key, base }) => {
    expect(await keySent(argv, env)).toEqual({ base, key });
  });

  test("no key file is no error: the server may want none", async () => {
    const connections: ConnectOptions[] = [];
    const client = fakeClient({ vms: { list: async () => ({ items: [], total: 0 }) } });
    await hype(["vms", "list"], { client, connections });
    expect(connections[0]?.key).toBeNull();
  });

  test("a key file that cannot be read is an error that names it", async () => {
    using home = temporaryDirectory();
    // A directory in its place: root reads files of any mode.
    mkdirSync(join(home.path, "admin.key"));
    chmodSync(home.path, 0o700);
    const { code, stderr } = await hype(["vms", "list"], { env: { OVERHYPED_HOME: home.path } });
    expect(code).toBe(1);
    expect(stderr).toContain(`the admin key ${join(home.path, "admin.key")} cannot be read`);
  });

  test.each([
    { argv: ["--api", "ftp://x"], env: {} },
    { argv: ["--key", "short"], env: {} },
    { argv: [], env: { OVERHYPED_API_LISTEN: "nonsense" } },
  ])("settings are checked: $argv $env", async ({ argv, env }) => {
    const { code, stderr } = await hype(["vms", "list", ...argv], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("error[config_invalid]");
    expect(stderr).not.toContain("short");
  });
});
