import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000);
const ROOT = join(import.meta.dir, "..", "..");
const INSPECTOR = join(ROOT, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");

const home = temporaryDirectory();
let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

/** The Inspector's command line; what it writes goes into a home of its own. */
async function inspect(...args: string[]) {
  const env = { PATH: process.env.PATH ?? "", HOME: home.path, MCP_CATALOG_PATH: join(home.path, "catalog.json") };
  const child = Bun.spawn([process.execPath, INSPECTOR, "--cli", ...args], {
    env,
    cwd: home.path,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(await child.exited, out + err).toBe(0);
  return JSON.parse(out);
}

test("the Inspector calls a tool over HTTP", async () => {
  const said = await inspect(
    ...[`${server.url}/mcp`, "--transport", "http", "--header", `Authorization: Bearer ${KEY}`],
    ...["--method", "tools/call", "--tool-name", "vm_get", "--tool-arg", "vm=demo"],
  );
  expect(said.structuredContent).toMatchObject({ name: "demo", status: "running" });
});

test("the Inspector lists tools over stdio", async () => {
  const settings = [`OVERHYPED_API_BASE=${server.url}`, `OVERHYPED_API_KEY=${KEY}`, "OVERHYPED_CONFIG=/dev/null"];
  const { tools } = await inspect(
    ...settings.flatMap((setting) => ["-e", setting]),
    ...[process.execPath, join(ROOT, "src/main.ts"), "mcp", "--method", "tools/list"],
  );
  expect(tools.map(({ name }: { name: string }) => name)).toContain("browser_click");
});
