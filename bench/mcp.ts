import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { startBrowsing } from "../test/lib/browsing.ts";
import { KEY, startTestServer } from "../test/server/harness.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 300;
const STARTS = 12;
const LIST_MS = 5;
const OVER_REST_MS = 3;
const START_MS = 250;
const HYPE = join(import.meta.dir, "..", "dist", "hype");

/** The server with a real browser behind one VM: MCP beside the same call over REST, turn about, and the start of `hype mcp`. */
export async function mcp(): Promise<Row[]> {
  await using browsing = await startBrowsing();
  await using server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const headers = { authorization: `Bearer ${KEY}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers } }));

  const lists: number[] = [];
  const tools: number[] = [];
  const rest: number[] = [];
  const list = async () => void (await client.request({ method: "tools/list", params: {} }));
  const byTool = async () =>
    void (await client.callTool({ name: "browser_evaluate", arguments: { vm: "demo", function: "1 + 1" } }));
  const byRest = async () => {
    const body = JSON.stringify({ expression: "1 + 1" });
    const reply = await server.call("/api/v1/vms/demo/browser/evaluate", { method: "POST", body });
    await reply.json();
  };
  for (let round = -20; round < ROUNDS; round++)
    for (const [times, work] of [
      [lists, list],
      [tools, byTool],
      [rest, byRest],
    ] as const) {
      const began = performance.now();
      await work();
      if (round >= 0) times.push(performance.now() - began);
    }
  await client.close();

  const starts: number[] = [];
  for (let round = 0; round < STARTS; round++) starts.push(await stdioStart(server.url, server.home));
  const more = median(tools) - median(rest);
  const busy = "the machine was busy: repeat it on a quiet one";
  return [
    {
      what: "MCP tools/list, ms",
      ours: spread(lists),
      raw: "-",
      figure: `${median(lists).toFixed(2)} ms`,
      target: `<= ${LIST_MS} ms`,
      met: median(lists) <= LIST_MS,
      n: ROUNDS,
      reason: busy,
    },
    {
      what: "browser_evaluate by MCP beside REST, ms",
      ours: spread(tools),
      raw: spread(rest),
      figure: `+${more.toFixed(2)} ms`,
      target: `<= +${OVER_REST_MS} ms`,
      met: more <= OVER_REST_MS,
      n: ROUNDS,
      reason: busy,
    },
    {
      what: "hype mcp: start to first answer, ms",
      ours: spread(starts),
      raw: "-",
      figure: `${median(starts).toFixed(0)} ms`,
      target: `<= ${START_MS} ms`,
      met: median(starts) <= START_MS,
      n: STARTS,
      reason: busy,
    },
  ];
}

/** From the start of the built program until a client has its list of tools, milliseconds. */
async function stdioStart(url: string, home: string): Promise<number> {
  const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode: "legacy" } });
  const env = { HOME: home, OVERHYPED_CONFIG: "/dev/null", OVERHYPED_API_BASE: url, OVERHYPED_API_KEY: KEY };
  const began = performance.now();
  await client.connect(new StdioClientTransport({ command: HYPE, args: ["mcp"], env }));
  await client.listTools();
  const took = performance.now() - began;
  await client.close();
  return took;
}
