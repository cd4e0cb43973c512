import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import type { Entry } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { hype } from "../cli/harness.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

setDefaultTimeout(60_000);
let server: TestServer;
let agent: RunningAgent;
let site: StateSite;
let client: Client;
let page: ReturnType<typeof drive>;
beforeAll(async () => {
  server = startTestServer();
  server.engine.add("demo");
  site = serveStateSite();
  agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
  server.engine.guests.set("demo", guest);
  client = connect({ base: server.url, key: KEY });
  page = drive(guest);
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** What comes by the API's stream, up to the entry that is wanted. */
async function until(isWanted: (entry: Entry) => boolean): Promise<Entry[]> {
  const seen: Entry[] = [];
  const signal = AbortSignal.timeout(30_000);
  for await (const entry of client.browser.entries("demo", { kinds: ["tab", "download"], signal })) {
    seen.push(entry);
    if (isWanted(entry)) return seen;
  }
  throw new Error(`it never came; seen: ${JSON.stringify(seen)}`);
}

test("tabs and downloads by the API's stream and hype observe, without a start", async () => {
  const { tab } = await page.navigate(`${site.origin}/`);
  await page.evaluate("location.href = '/file'; 0");
  const seen = await until((entry) => entry.kind === "download" && entry.state === "completed");
  expect(seen.filter((entry) => entry.kind === "tab" && entry.tab === tab).length).toBeGreaterThan(0);
  expect(seen.at(-1)).toMatchObject({ kind: "download", tab, name: "näme.bin", received_bytes: 1_000 });

  const observe = (...more: string[]) =>
    hype(["observe", "demo", "--kinds", "tab,download", ...more], { connect: async () => client });
  const shown = await observe();
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toContain(`tab ${tab} navigated: ${site.origin}/`);
  expect(shown.stdout).toContain("download näme.bin (completed)  1.0 kB");
  // Not the last one: a title may have come after it.
  expect(JSON.parse((await observe("--json")).stdout).items).toContainEqual(seen.at(-1));
  // It did not begin to record anything else.
  expect(await client.browser.operate("demo", "stop-observing", {})).toEqual({ all: [], tabs: {} });
});
