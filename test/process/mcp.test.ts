import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { HYPE, SealedHome, type Served } from "../lib/hype.ts";

/** MCP as an AI client meets it: the built program, by both transports, in both eras. */

setDefaultTimeout(60_000);
const INSPECTOR = join(
  import.meta.dir,
  "../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
);

let home: SealedHome;
let server: Served;
beforeAll(async () => {
  home = new SealedHome({ OVERHYPED_QEMU: "no-such-qemu" }); // no VM is started here: what fails must say so
  server = await home.serve();
});
afterAll(() => home[Symbol.asyncDispose]());

const overHttp = (path = "/mcp") =>
  new StreamableHTTPClientTransport(new URL(path, server.url), {
    requestInit: { headers: { authorization: `Bearer ${server.key}` } },
  });
/** As a client starts it: the program finds the server and its key by itself. */
const overStdio = (...args: string[]) =>
  new StdioClientTransport({ command: HYPE, args: ["mcp", ...args], env: home.env, cwd: home.path, stderr: "pipe" });

async function connected(transport: ReturnType<typeof overHttp> | ReturnType<typeof overStdio>, mode: string) {
  const client = new Client({ name: "process", version: "1" }, { versionNegotiation: { mode: mode as "auto" } });
  await client.connect(transport);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
const textOf = ({ content }: { content?: unknown }): string =>
  (content as { text?: string }[]).map(({ text = "" }) => text).join("\n");

describe.each([
  ["HTTP", "auto", overHttp],
  ["HTTP", "legacy", overHttp],
  ["stdio", "auto", overStdio],
  ["stdio", "legacy", overStdio],
] as const)("over %s, era %s", (_name, mode, transport) => {
  test("tools, resources and prompts are there, and errors are told", async () => {
    await using it = await connected(transport(), mode);
    const { client } = it;
    expect(client.getServerVersion()?.name).toBe("overhyped");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["vm_create", "browser_click"]));
    const status = await client.callTool({ name: "host_status", arguments: {} });
    expect(status.isError ?? false, textOf(status)).toBe(false);
    const failed = await client.callTool({ name: "vm_create", arguments: { name: `never-${mode}` } });
    expect(failed.isError).toBe(true);
    expect(textOf(failed)).toContain("no-such-qemu");
    expect((await client.callTool({ name: "vm_list", arguments: {} })).structuredContent).toMatchObject({ total: 0 });
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(["hype://vms"]);
    expect((await client.listPrompts()).prompts.length).toBe(3);
  });
});

test("hype mcp goes on when the server was restarted meanwhile, at its old address", async () => {
  await using own = new SealedHome();
  const first = await own.serve();
  const transport = new StdioClientTransport({ command: HYPE, args: ["mcp"], env: own.env, stderr: "pipe" });
  await using it = await connected(transport, "legacy");
  const call = () => it.client.callTool({ name: "vm_list", arguments: {} });
  expect(textOf(await call())).toContain("no VMs");
  await first.stop("SIGKILL");
  await expect(call()).rejects.toThrow("hype serve");
  await own.serve({ OVERHYPED_API_LISTEN: new URL(first.url).host });
  expect(textOf(await call())).toContain("no VMs");
});

test("hype mcp ends with its input, and says on stderr what people are to read", async () => {
  const { code, stdout } = await home.run(["mcp"], { stdin: "" });
  expect([code, stdout]).toEqual([0, ""]);
  const nonsense = await home.run(["mcp"], { stdin: "nonsense\n" });
  expect(nonsense.code).toBe(0);
  expect(JSON.parse(nonsense.stdout)).toMatchObject({ error: { code: -32_700 } });
});

describe("the Inspector", () => {
  /** Its command line; what it writes goes into the sealed home. */
  async function inspect(...args: string[]) {
    const child = Bun.spawn([process.execPath, INSPECTOR, "--cli", ...args], {
      env: { ...home.env, MCP_CATALOG_PATH: join(home.path, "catalog.json") },
      cwd: home.path,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(await child.exited, out + err).toBe(0);
    return JSON.parse(out);
  }

  test("lists over stdio", async () => {
    const settings = Object.entries(home.env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const { tools } = await inspect(...settings, HYPE, "mcp", "--method", "tools/list");
    expect(tools.map(({ name }: { name: string }) => name)).toContain("vm_create");
  });

  test("calls over HTTP", async () => {
    const said = await inspect(
      ...[`${server.url}/mcp`, "--transport", "http", "--header", `Authorization: Bearer ${server.key}`],
      ...["--method", "tools/call", "--tool-name", "vm_list"],
    );
    expect(said.structuredContent).toMatchObject({ vms: [], total: 0 });
  });
});
