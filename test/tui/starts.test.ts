import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { Shown } from "./pty.ts";

/** The program started anew, in terminals of its own. */
setDefaultTimeout(60_000);
let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  for (const name of ["alpha", "bravo"]) server.engine.add(name);
});
afterAll(() => server[Symbol.asyncDispose]());

test("what was set stays set: the order, and what was typed into the palette", async () => {
  using home = temporaryDirectory();
  const start = () => new Shown(server.url, { HOME: home.path });
  {
    await using first = start();
    await first.until(/alpha[\s\S]*bravo/);
    first.type("O");
    await first.until(/bravo[\s\S]*alpha/);
    first.type(":vms list\r");
    await first.until("enter closes");
    first.type("\r");
    await first.until("q quit");
    first.type("q");
    expect(await first.ended()).toBe(0);
  }
  await using second = start();
  await second.until(/bravo[\s\S]*alpha/);
  second.type(":\u001b[A");
  await second.until(/vms list/);
  second.type("\u0003");
  expect(await second.ended()).toBe(0);
});
