import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { SNIPPETS } from "../../src/cli/mcp/snippets.ts";
import { SealedHome, type Served } from "../lib/hype.ts";

/** What `hype mcp config` prints, read as each client reads it, and what it names started or connected to. */

setDefaultTimeout(120_000); // built programs start, on a busy machine

let home: SealedHome;
let server: Served;
beforeAll(async () => {
  home = new SealedHome({ OVERHYPED_QEMU: "no-such-qemu" });
  server = await home.serve();
});
afterAll(() => home[Symbol.asyncDispose]());

/** Of a client's environment; the settings file is not that of the host the tests run on. */
const NOTHING = { PATH: "/usr/bin:/bin", OVERHYPED_CONFIG: "/dev/null" };

type Stdio = { command: string; args: string[]; env?: Record<string, string> };
type Http = { url: string; headers: Record<string, string> };
type Entry = Stdio | Http;

const underServers = (text: string): Entry => JSON.parse(text).mcpServers.overhyped;
/** Each client's own way from its settings to a server of the name `overhyped`. */
const READERS: Record<string, (text: string) => Entry | Promise<Entry>> = {
  claude: claudeAdded,
  "claude-desktop": underServers,
  codex: (text) => (Bun.TOML.parse(text) as { mcp_servers: Record<string, Stdio> }).mcp_servers.overhyped!,
  cursor: underServers,
  gemini: underServers,
  opencode: (text) => {
    const { type, command, enabled, environment } = JSON.parse(text).mcp.overhyped;
    expect([type, enabled]).toEqual(["local", true]);
    return { command: command[0], args: command.slice(1), env: environment };
  },
  vscode: (text) => {
    const { type, ...entry } = JSON.parse(text).servers.overhyped;
    expect(type).toBe("stdio");
    return entry;
  },
  windsurf: underServers,
  zed: (text) => JSON.parse(text).context_servers.overhyped,
  http: (text) => {
    const { type, ...entry } = JSON.parse(text).mcpServers.overhyped;
    expect(type).toBe("http");
    return entry;
  },
};

/** A shell runs the command; a `claude` of ours says what it was given: `claude mcp add NAME [--env NAME=VALUE …] -- PROGRAM ARGUMENT …` */
async function claudeAdded(text: string): Promise<Entry> {
  const bin = join(home.path, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "claude"), `#!/bin/sh\nprintf '%s\\0' "$@"\n`);
  chmodSync(join(bin, "claude"), 0o755);
  const child = Bun.spawn(["/bin/sh", "-c", text], { env: { PATH: `${bin}:/usr/bin:/bin` }, stdout: "pipe" });
  const given = (await new Response(child.stdout).text()).split("\0").slice(0, -1);
  expect(given.slice(0, 3)).toEqual(["mcp", "add", "overhyped"]);
  const [command = "", ...args] = given.slice(given.indexOf("--") + 1);
  const pairs = given
    .slice(3, given.indexOf("--"))
    .filter((word) => word !== "--env")
    .map((pair): [string, string] => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  return { command, args, env: Object.fromEntries(pairs) };
}

/** @param env what the client itself has: nothing of the shell the snippet was printed in */
async function toolsOf(entry: Entry, env: Record<string, string>): Promise<string[]> {
  const transport =
    "url" in entry
      ? new StreamableHTTPClientTransport(new URL(entry.url), { requestInit: { headers: entry.headers } })
      : new StdioClientTransport({ ...entry, env: { ...env, ...entry.env }, cwd: "/", stderr: "ignore" });
  const client = new Client({ name: "process", version: "1" }, { versionNegotiation: { mode: "auto" } });
  try {
    await client.connect(transport);
    return (await client.listTools()).tools.map(({ name }) => name);
  } finally {
    await client.close();
  }
}

test("each known client is read here", () => {
  expect(Object.keys(READERS).toSorted()).toEqual(Object.keys(SNIPPETS).toSorted());
});

describe.each(Object.keys(SNIPPETS))("%s", (client) => {
  const printed = async (...args: string[]) => await home.ok(["mcp", "config", client, ...args]);
  const read = READERS[client]!;
  const withKey = (text: string) => text.replace(/\bKEY\b/g, server.key);

  test("finds the server of this machine and its key", async () => {
    const text = await printed();
    const names = await toolsOf(await read(client === "http" ? withKey(text) : text), { ...NOTHING, HOME: home.path });
    expect(names).toEqual(expect.arrayContaining(["vm_create", "browser_click"]));
    expect(names.length).toBeLessThanOrEqual(30);
  });

  test("reaches a server elsewhere once its key is put in, with the tools asked for", async () => {
    const text = await printed("--api", server.url, "--key", "k".repeat(43), "--tools", "host,profiles");
    expect(text).toContain("KEY");
    expect(text).not.toContain("kkk");
    const stranger = join(home.path, "elsewhere");
    mkdirSync(stranger, { recursive: true });
    const names = await toolsOf(await read(withKey(text)), { ...NOTHING, HOME: stranger });
    expect(names).toContain("profile_save");
    expect(names).not.toContain("browser_click");
  });
});
