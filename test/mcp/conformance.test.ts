import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createLog } from "../../src/log/log.ts";
import { McpDoor } from "../../src/mcp/door.ts";
import type { Visit } from "../../src/mcp/visit.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { fixtureServer } from "./conformance-fixture.ts";

setDefaultTimeout(60_000);
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
  const door = new McpDoor({ log, closing, maxBodyBytes: 1e6, build: fixtureServer });
  const visit: Visit = {
    key: {},
    keyId: "suite",
    scope: "admin",
    house: { events: async function* () {} } as unknown as Visit["house"],
    ended: closing,
    client: null,
    vm: null,
    selection: ["default"],
  };
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) =>
      await door.handle(request, request.method === "POST" ? await request.json() : undefined, visit),
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

async function passes(port: number | undefined, scenario: string): Promise<void> {
  const suite = Bun.spawn(
    [process.execPath, SUITE, "server", "--url", `http://127.0.0.1:${port}/mcp`, "--scenario", scenario],
    {
      cwd: directory.path,
      env: { PATH: process.env.PATH ?? "", HOME: directory.path },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const said = await Promise.all([new Response(suite.stdout).text(), new Response(suite.stderr).text()]);
  expect(await suite.exited, said.join("\n")).toBe(0);
}

describe("our own server conforms", () => {
  test.each([
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "completion-complete",
    "tools-list",
    "resources-list",
    "resources-subscribe",
    "resources-unsubscribe",
    "sep-2164-resource-not-found",
    "prompts-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
    "caching",
    "http-header-validation",
    "input-required-result-unsupported-methods",
  ])("%s", async (scenario) => await passes(real.port, scenario));
});

describe("its transports conform with the tools the suite asks for", () => {
  test.each([
    "server-stateless",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-error",
    "tools-call-with-progress",
    "json-schema-2020-12",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "input-required-result-basic-elicitation",
    "input-required-result-basic-sampling",
    "input-required-result-basic-list-roots",
    "input-required-result-missing-input-response",
    "input-required-result-result-type",
    "input-required-result-multiple-input-requests",
  ])("%s", async (scenario) => await passes(fixture.port, scenario));
});
