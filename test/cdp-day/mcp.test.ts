import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Day } from "./day.ts";

setDefaultTimeout(120_000);
const root = join(import.meta.dir, "../..");
let day: Day;
beforeAll(async () => {
  day = await Day.begin();
}, 90_000);
afterAll(() => day?.[Symbol.asyncDispose]());

/** An MCP server that people have, as their AI clients start it, and a short word to call its tools. */
async function startServer(program: string, args: string[]) {
  const home = mkdtempSync(join(tmpdir(), "hype-mcp-"));
  const client = new Client({ name: "test", version: "1" });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(root, "node_modules", program), ...args],
    cwd: home,
    env: { PATH: process.env.PATH ?? "", HOME: home, CHROME_DEVTOOLS_MCP_NO_USAGE_STATISTICS: "1" },
    stderr: "ignore",
  });
  await client.connect(transport);
  return {
    async call(name: string, given: Record<string, unknown> = {}): Promise<string> {
      const { content, isError } = await client.callTool({ name, arguments: given });
      const text = (content as { text?: string }[]).map((part) => part.text ?? "").join("\n");
      expect(isError ?? false, text).toBe(false);
      return text;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

test.each([
  ["the HTTP URL", () => day.urls.http_url],
  ["the WebSocket URL", () => day.urls.ws_url],
])("@playwright/mcp --cdp-endpoint with %s", async (_name, url) => {
  await using server = await startServer("@playwright/mcp/cli.js", ["--cdp-endpoint", url()]);
  await server.call("browser_navigate", { url: `${day.site.origin}/` });
  const ref = /button "Go" \[ref=(\w+)\]/.exec(await server.call("browser_snapshot"))?.[1];
  await server.call("browser_click", { element: "the button", target: ref });
  expect(await server.call("browser_evaluate", { function: "() => document.title" })).toContain("clicked");
});

test.each([
  ["--browserUrl", () => ["--browserUrl", day.urls.http_url]],
  ["--wsEndpoint", () => ["--wsEndpoint", day.urls.ws_url]],
])("chrome-devtools-mcp %s", async (_name, flags) => {
  await using server = await startServer("chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js", [
    ...flags(),
    "--no-page-id-routing",
  ]);
  await server.call("new_page", { url: `${day.site.origin}/` });
  const uid = /uid=(\S+) button "Go"/.exec(await server.call("take_snapshot"))?.[1];
  await server.call("click", { uid });
  expect(await server.call("evaluate_script", { function: "() => document.title" })).toContain("clicked");
});
