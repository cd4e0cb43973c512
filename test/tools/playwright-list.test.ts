import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { argumentsFor } from "../../src/tools/arguments.ts";
import { HypeError } from "../../src/contract/index.ts";
import { findTool } from "../../src/tools/registry.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

setDefaultTimeout(60_000); // another program starts

const PLAYWRIGHT = join(import.meta.dir, "..", "..", "node_modules", "@playwright", "mcp", "cli.js");
const CAPABILITIES = "vision,pdf,testing,devtools,storage,network,config";

/** What is of Playwright's own kind: its code, its debugger and traces, its drawings over a page. */
const NOT_OURS = [
  ...["run_code_unsafe", "get_config", "resume", "start_tracing", "stop_tracing", "start_recording", "stop_recording"],
  ...["highlight", "hide_highlight", "annotate", "video_chapter", "video_show_actions", "video_hide_actions"],
].map((name) => `browser_${name}`);
/** Arguments that mean something on the machine of that server alone. */
const NOT_TAKEN: Record<string, string[]> = { browser_start_video: ["cursor"] };
/** Where we want what it does not have: a state comes with the call, not from a file. */
const WANTED_MORE: Record<string, string[]> = { browser_set_storage_state: ["state"] };

type Schema = {
  type?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
};

/** Something the schema takes. */
function sample({ type, enum: values, anyOf, items, properties }: Schema, name: string): unknown {
  if (values) return values[0];
  if (anyOf) return sample(anyOf[0] as Schema, name);
  if (type === "number" || type === "integer")
    return name === "status" ? 200 : name === "width" || name === "height" ? 300 : 1;
  if (type === "boolean") return true;
  if (type === "array") return name === "headers" ? ["A: b"] : [sample(items ?? { type: "string" }, name)];
  if (type !== "object") return name === "target" || name.endsWith("Target") ? "e1" : "button";
  return Object.fromEntries(Object.entries(properties ?? {}).map(([key, its]) => [key, sample(its, key)]));
}

test("every tool of Playwright's server is here with its arguments, but for what is named", async () => {
  using directory = temporaryDirectory();
  const client = new Client({ name: "test", version: "1" });
  const args = [PLAYWRIGHT, `--caps=${CAPABILITIES}`, "--output-dir", directory.path];
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, cwd: directory.path, stderr: "ignore" }),
  );
  const { tools } = await client.listTools().finally(() => client.close());
  expect(tools.length).toBeGreaterThan(60);
  const missing: string[] = [];
  const refused: string[] = [];
  for (const { name, inputSchema } of tools) {
    const tool = findTool(name, "admin");
    if (!tool) {
      missing.push(name);
      continue;
    }
    const { properties = {}, required = [] } = inputSchema as {
      properties?: Record<string, Schema>;
      required?: string[];
    };
    const whole = sample({ type: "object", properties }, name) as Record<string, unknown>;
    for (const argument of NOT_TAKEN[name] ?? []) {
      expect(whole, `${name} has ${argument} no more`).toHaveProperty(argument);
      delete whole[argument];
    }
    const least = Object.fromEntries(Object.entries(whole).filter(([key]) => required.includes(key)));
    const more = Object.fromEntries((WANTED_MORE[name] ?? []).map((key) => [key, {}]));
    for (const given of [whole, least])
      try {
        argumentsFor(tool, { vm: "demo", ...given, ...more }, null);
      } catch (thrown) {
        if (!(thrown instanceof HypeError)) throw thrown;
        refused.push(`${name} ${JSON.stringify(given)}: ${thrown.message}`);
      }
  }
  expect(refused).toEqual([]);
  expect(missing.toSorted()).toEqual(NOT_OURS.toSorted());
});
