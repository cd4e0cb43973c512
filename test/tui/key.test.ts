import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { HypeError } from "../../src/contract/index.ts";
import { problemOf } from "../../src/cli/report-error.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { Shown } from "./pty.ts";

setDefaultTimeout(30_000);
let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());

test.each([
  ["the environment", false],
  ["the settings file", true],
])(
  "a key of %s is not sent to another server, neither by the screen nor by the palette; its own is, once it was typed",
  async (_where, isInFile) => {
    using directory = temporaryDirectory();
    const file = directory.join("hype.env");
    writeFileSync(file, `OVERHYPED_API_KEY=${KEY}\n`, { mode: 0o600 });
    const sent: (string | null)[] = [];
    const own = `hype_${"o".repeat(43)}`;
    const arrived = Promise.withResolvers<void>();
    using stranger = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ headers }) {
        const key = headers.get("authorization");
        sent.push(key);
        if (key === `Bearer ${own}`) arrived.resolve();
        return Response.json(problemOf(new HypeError("unauthorized", "no valid key")), { status: 401 });
      },
    });
    await using shown = new Shown(server.url, isInFile ? { OVERHYPED_API_KEY: "", OVERHYPED_CONFIG: file } : {});
    await shown.until("demo");
    shown.type("\u000f"); // ctrl-o
    await shown.until("another address");
    shown.type("o");
    await shown.until("Address of the");
    shown.type(`\u0015${stranger.url.origin}\r`);
    await shown.until("Key for");
    shown.type("\u001b");
    await shown.until(/r retry(?![\s\S]*Key for)/);
    shown.type(":vms list\r");
    await shown.until("exit code 1");
    expect(sent.length).toBeGreaterThanOrEqual(2);
    expect(new Set(sent)).toEqual(new Set([null]));
    sent.length = 0;
    shown.type("\r"); // the command's output away
    await shown.until("r     Try again now");
    shown.type("r");
    await shown.until("hype_…");
    shown.type(`${own}\r`);
    await arrived.promise;
    expect(sent).not.toContain(`Bearer ${KEY}`);
    // It was refused, and is not sent again: the next one is asked for.
    await shown.until(/Key for[\s\S]*hype_…/);
    shown.type("\u001b");
    await shown.until(/r retry(?![\s\S]*Key for)/);
    sent.length = 0;
    shown.type("r");
    await shown.until(/Key for[\s\S]*hype_…/);
    expect(new Set(sent)).toEqual(new Set([null]));
  },
);

test("a command of the palette that names another server takes no key along", async () => {
  const sent: (string | null)[] = [];
  using stranger = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ headers }) {
      sent.push(headers.get("authorization"));
      return Response.json(problemOf(new HypeError("unauthorized", "no valid key")), { status: 401 });
    },
  });
  await using shown = new Shown(server.url);
  await shown.until("demo");
  shown.type(`:vms list --api ${stranger.url.origin}\r`);
  await shown.until("exit code 1");
  expect(sent).toEqual([null]);
});
