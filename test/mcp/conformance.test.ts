import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { hostHeaderValidationResponse, originValidationResponse } from "@modelcontextprotocol/server";
import { createLog } from "../../src/log/log.ts";
import { McpDoor } from "../../src/mcp/door.ts";
import type { Visit } from "../../src/mcp/visit.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { fixtureServer } from "./conformance-fixture.ts";

setDefaultTimeout(60_000);
const LOOPBACK = ["127.0.0.1", "localhost"];
const SUITE = join(import.meta.dir, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** The suite knows no keys: what it sends goes to the real app with one. */
const withKey = (server: TestServer) =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${KEY}`);
      return server.app.handle(new Request(request, { headers }));
    },
  });

/** Our door with the suite's own tools behind it. */
function fixtureDoor(closing: AbortSignal) {
  const log = createLog({ level: "error", write: () => {} });
  const door = new McpDoor({ log, closing, maxBodyBytes: 1e6, build: fixtureServer, prospectOf: () => "told" });
  const visit: Visit = {
    key: {},
    keyId: "suite",
    scope: "admin",
    house: { events: async function* () {} } as unknown as Visit["house"],
    ended: closing,
    client: null,
    vm: null,
    selection: ["default"],
    noteChange: () => {},
  };
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) =>
      // The app judges Host and Origin before the door is reached; the suite asks for it here, too.
      hostHeaderValidationResponse(request, LOOPBACK) ??
      originValidationResponse(request, LOOPBACK) ??
      (await door.handle(request, request.method === "POST" ? await request.json() : undefined, visit)),
  });
}

const directory = temporaryDirectory();
const closing = new AbortController();
let server: TestServer;
let real: ReturnType<typeof withKey>;
let fixture: ReturnType<typeof fixtureDoor>;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
  real = withKey(server);
  fixture = fixtureDoor(closing.signal);
});
afterAll(async () => {
  closing.abort();
  await Promise.all([real.stop(true), fixture.stop(true)]);
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** Runs the suite against one of the two. @returns what it said */
async function suite(port: number | undefined, ...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, SUITE, "server", "--url", `http://127.0.0.1:${port}/mcp`, ...args], {
    cwd: directory.path,
    env: { PATH: process.env.PATH ?? "", HOME: directory.path },
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(await child.exited, said.join("\n")).toBe(0);
  return said[0];
}

describe("our own server conforms", () => {
  test.each([
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "completion-complete",
    "tools-list",
    "resources-list",
    "sep-2164-resource-not-found",
    "prompts-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
    "caching",
    "http-header-validation",
    "input-required-result-unsupported-methods",
  ])("%s", async (scenario) => void (await suite(real.port, "--scenario", scenario)));
});

/** What no revision requires and we do not have; the suite runs it all the same. */
const NOT_OURS: Record<string, string> = {
  ...Object.fromEntries(
    [
      ...["lifecycle", "capability-negotiation", "wire-fields", "request-state-removal", "mrtr-input"],
      ...["request-headers", "dispatch-and-envelope", "required-task-error", "mrtr-composition"],
    ].map((what) => [`tasks-${what}`, "an extension: long work is told by progress and waited for with vm_wait"]),
  ),
  "http-custom-header-server-validation": "pending: no tool of ours has an argument that is a header, too",
};

describe("its transports conform with the tools the suite asks for: all that a revision requires", () => {
  test.each([
    ["2026-07-28", Object.keys(NOT_OURS), []],
    // Our own addresses take no subscription of the suite's: nothing would ever be told of them.
    ["2025-11-25", [], ["resources-subscribe", "resources-unsubscribe"]],
  ])("%s", async (revision, notOurs, ofAddresses) => {
    const said = await suite(fixture.port, "--requirements", revision);
    const [scored = "", notScored = ""] = said.split("Not scored for");
    expect([...scored.matchAll(/^✓ /gm)].length).toBeGreaterThan(25);
    for (const scenario of ofAddresses) expect(scored).toMatch(new RegExp(`^✓ ${scenario}\\b`, "m"));
    expect([...notScored.matchAll(/^ +✗ (\S+)/gm)].map(([, name]) => name).toSorted()).toEqual(notOurs.toSorted());
  });
});
