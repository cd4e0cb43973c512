import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { SNIPPETS } from "../../src/cli/mcp/snippets.ts";
import { eventData, linesOf } from "../../src/cli/mcp/lines.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { hype } from "./harness.ts";

const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");
let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());

const environment = (url: string, key = KEY) => ({
  PATH: process.env.PATH ?? "",
  HOME: server.home,
  OVERHYPED_CONFIG: "/dev/null",
  OVERHYPED_API_BASE: url,
  OVERHYPED_API_KEY: key,
});

async function start(mode: "auto" | "legacy", args: string[] = [], url = server.url) {
  const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode } });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, "mcp", ...args],
    env: environment(url),
    stderr: "pipe",
  });
  await client.connect(transport);
  const call = async (name: string, given: object = {}) => {
    const { content } = await client.callTool({ name, arguments: { ...given } });
    return String((content as { text: string }[])[0]?.text);
  };
  return { client, call, [Symbol.asyncDispose]: () => client.close() };
}

describe.each(["auto", "legacy"] as const)("hype mcp, era %s", (mode) => {
  test("lists and calls tools", async () => {
    await using mcp = await start(mode);
    expect((await mcp.client.listTools()).tools.length).toBeGreaterThan(20);
    expect(await mcp.call("vm_list")).toContain("demo: running");
  });

  test("one VM, all tools", async () => {
    await using mcp = await start(mode, ["--vm", "demo", "--tools", "all"]);
    const names = (await mcp.client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("vm_pause");
    expect(names).not.toContain("vm_list");
    expect(await mcp.call("vm_get")).toContain("demo");
  });

  test("goes on after the server was restarted", async () => {
    const first = startTestServer();
    first.engine.add("before");
    const port = Number(new URL(first.url).port);
    await using mcp = await start(mode, [], first.url);
    expect(await mcp.call("vm_list")).toContain("before");
    await first[Symbol.asyncDispose]();
    await expect(mcp.call("vm_list")).rejects.toThrow("hype serve");
    await using second = startTestServer({ port });
    second.engine.add("after");
    expect(await mcp.call("vm_list")).toContain("after");
  });
});

test("what is no message is answered in the protocol, and the end of input ends it", async () => {
  const child = Bun.spawn([process.execPath, MAIN, "mcp"], {
    env: environment(server.url),
    stdin: Buffer.from('{nonsense\n{"jsonrpc":"2.0","id":7,"method":"tools/list"}\n'),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(await child.exited).toBe(0);
  const first = JSON.parse(out.split("\n")[0] ?? "");
  expect(first).toMatchObject({ id: null, error: { code: -32_700 } });
});

test("a wrong key is said to be one, on the wire", async () => {
  const child = Bun.spawn([process.execPath, MAIN, "mcp"], {
    env: environment(server.url, "x".repeat(20)),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: {} })}\n`);
  await child.stdin.flush();
  const { value } = await child.stdout.getReader().read();
  const said = new TextDecoder().decode(value);
  expect(said).toContain("the key is not valid");
  expect(said).not.toContain("x".repeat(20));
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

const CODEX = {
  mcp_servers: {
    overhyped: { args: ["mcp", "--api", "http://10.0.0.5:8888"], env: { OVERHYPED_API_KEY: "KEY" } },
  },
};
describe("hype mcp config", () => {
  test.each(Object.keys(SNIPPETS))("%s", async (client) => {
    const { code, stdout, stderr } = await hype(["mcp", "config", client, "--vm", "demo"]);
    expect(code).toBe(0);
    expect(stderr).toContain(SNIPPETS[client]?.title ?? "-");
    expect(stdout).toContain("demo");
    expect(stdout).toContain("overhyped");
    if (stdout.startsWith("{")) JSON.parse(stdout);
    if (client === "codex") Bun.TOML.parse(stdout);
  });
  test.each(Object.keys(SNIPPETS))("%s, with a server elsewhere", async (client) => {
    const elsewhere = "http://10.0.0.5:8888";
    for (const given of [{ args: ["--api", elsewhere] }, { env: { OVERHYPED_API_BASE: elsewhere } }]) {
      const options = { env: given.env ?? {} };
      const { code, stdout, stderr } = await hype(["mcp", "config", client, ...(given.args ?? [])], options);
      expect(code).toBe(0);
      expect(stdout).toContain(elsewhere);
      expect(stdout).toContain("KEY");
      expect(stderr.match(/in place of KEY/g)).toHaveLength(1);
      if (stdout.startsWith("{")) JSON.parse(stdout);
      if (client === "codex") expect(Bun.TOML.parse(stdout)).toMatchObject(CODEX);
      if (client !== "http") expect(stdout).toContain("--api");
    }
  });
  test("says nothing of the server that is found by itself, and never a key", async () => {
    const secret = "s".repeat(30);
    for (const client of Object.keys(SNIPPETS).filter((name) => name !== "http")) {
      const { stdout } = await hype(["mcp", "config", client]);
      expect(stdout).not.toContain("--api");
      expect(stdout).not.toContain("KEY");
    }
    const here = await hype(["mcp", "config", "cursor", "--api", "http://127.0.0.1:9999", "--key", secret]);
    expect(here.stdout).toContain('"OVERHYPED_API_KEY": "KEY"');
    expect(here.stdout + here.stderr).not.toContain(secret);
    expect((await hype(["mcp", "config", "cursor", "--api", "http://127.0.0.1:9999"])).stdout).not.toContain("KEY");
  });
  test("lists clients, and refuses one it does not know", async () => {
    expect((await hype(["mcp", "config"])).stdout).toContain("Claude Code");
    expect(JSON.parse((await hype(["mcp", "config", "cursor", "--json"])).stdout)).toMatchObject({ client: "cursor" });
    expect(await hype(["mcp", "config", "nonsense"])).toMatchObject({ code: 2 });
  });
});

test("lines and events survive being cut anywhere", async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\r\n\n{"b":1}\nrest');
  const gathered = async (size: number) => {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    return await Array.fromAsync(linesOf(pieces()));
  };
  for (const size of [1, 3, 7, 100]) expect(await gathered(size)).toEqual(['{"a":"ü"}', '{"b":1}', "rest"]);
  const events = async function* () {
    for (const byte of new TextEncoder().encode(": hi\n\ndata: {\ndata: }\n\nid: 4\ndata:x\n\n"))
      yield Uint8Array.of(byte);
  };
  expect(await Array.fromAsync(eventData(events()))).toEqual(["{\n}", "x"]);
});
