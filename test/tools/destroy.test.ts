import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { buildResumeArray } from "@ag-ui/client";
import { TOOLS } from "../../src/tools/registry.ts";
import { Reader } from "../agui/lib.ts";
import { connectClient, type McpClient } from "../mcp/world.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

/** What ends something for good, by every door for AI: nothing before a person's word, the same words on both. */
let server: TestServer;
let mcp: McpClient;
let kept = "";
beforeAll(async () => {
  server = startTestServer();
  mcp = await connectClient(`${server.url}/mcp`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  if (!server.engine.rows.has("web")) server.engine.add("web");
  server.engine.calls.length = 0;
  const vm = server.engine.get("web");
  kept = (await server.artifacts.keep({ kind: "other", name: "a", contentType: "text/plain", vm }, Buffer.from("a")))
    .id;
});

/** What each is called with, what it asks, and what is to be seen once it was done. `null`: there is nothing to end, but that is seen after the question. */
const CALLS: Record<string, { given: () => object; asks: string; isDone: (() => boolean) | null }> = {
  vm_stop: { given: () => ({ vm: "web" }), asks: "Stop the VM web?", isDone: () => called("stop") },
  vm_restart: { given: () => ({ vm: "web" }), asks: "Restart the VM web?", isDone: () => called("restart") },
  vm_delete: { given: () => ({ vm: "web" }), asks: "Delete the VM web", isDone: () => !server.engine.rows.has("web") },
  browser_clear_state: {
    given: () => ({ vm: "web", parts: ["cookies"] }),
    asks: "Clear cookies of all sites in the browser of web?",
    isDone: null,
  },
  profile_delete: { given: () => ({ name: "ada" }), asks: "Delete the profile ada", isDone: null },
  artifact_delete: { given: () => ({ id: kept }), asks: "Delete the kept file", isDone: () => !isThere(kept) },
};
const called = (what: string): boolean => server.engine.calls.some((call) => call.startsWith(`${what} `));
const isThere = (id: string): boolean => server.artifacts.list({ limit: 200 }).items.some((it) => it.id === id);

test("every tool that ends something stands in the table", () => {
  const ending = TOOLS.filter(({ effect }) => effect === "destroy").map(({ name }) => name);
  expect(Object.keys(CALLS).sort()).toEqual(ending.sort());
});

describe.each(Object.entries(CALLS))("%s", (name, { given, asks, isDone }) => {
  test("by MCP: not without confirm", async () => {
    const said = await mcp.call(name, { ...given() });
    expect(said).toMatchObject({ isError: true });
    expect(said.text).toContain(asks);
    expect(said.text).toContain("confirm: true");
    if (isDone) expect(isDone()).toBe(false);
    const done = await mcp.call(name, { ...given(), confirm: true });
    expect(done.text).not.toContain("Nothing was done");
    if (isDone) expect(isDone()).toBe(true);
    else expect(done.isError).toBe(true);
  });

  test("by AG-UI: not before the interrupt is approved", async () => {
    const reader = await new Reader(server).run({
      forwardedProps: { operations: [{ tool: name, arguments: given() }] },
    });
    const [pending] = reader.agent.pendingInterrupts;
    expect(pending).toMatchObject({ reason: "overhyped.confirm", message: expect.stringContaining(asks) });
    if (isDone) expect(isDone()).toBe(false);
    const answer = { [pending!.id]: { status: "resolved" as const, payload: { approve: true } } };
    await reader.run({ resume: buildResumeArray(reader.agent.pendingInterrupts, answer) });
    expect(reader.agent.pendingInterrupts).toEqual([]);
    if (isDone) expect(isDone()).toBe(true);
    else expect(reader.finished.result.operations).toMatchObject([{ tool: name, ok: false }]);
  });
});

test("nobody is asked about what is not there", async () => {
  const said = await mcp.call("vm_stop", { vm: "nobody" });
  expect(said.text).toContain("vm_not_found");
  expect(said.text).not.toContain("confirm");
});
