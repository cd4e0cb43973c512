import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { Shown } from "./pty.ts";

/** The program in a terminal, and a shell of the real agent in it. */
setDefaultTimeout(60_000);
let agent: RunningAgent;
let server: TestServer;
beforeAll(async () => {
  agent = await startAgent();
  server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", new Guest(agent.endpoint, agent.token));
  server.engine.add("asleep", { status: "stopped" }); // the first line
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

test("! hands the terminal to a shell, and its end or ctrl-] gives it back to the same view", async () => {
  await using shown = new Shown(server.url);
  await shown.until("demo");
  shown.type("j\r");
  await shown.until(/overview.*console/);
  const toldAnew = async () => {
    const told = shown.output.length;
    shown.type("!");
    await shown.until("demo: ctrl-] leaves");
    return told;
  };
  await toldAnew();
  shown.type("stty size; echo six=$((2*3))-\r");
  await shown.told("30 100\r\nsix=6-\r\n"); // a line feed is not made two characters once more
  // Who stops the program now would stop it under the shell's hands: that is not heard.
  const before = shown.output.length;
  shown.kill("SIGTSTP");
  shown.type("echo still=$((3*4))-\r");
  await shown.told("still=12-\r\n");
  expect(shown.output.slice(before)).not.toContain("\u001b[?1049");
  shown.type("printf '\\033[?1000h\\033[?25lhid''den'\r"); // a guest that does not tidy up
  await shown.told("hidden");
  shown.type("\u001d");
  await shown.until(/overview.*console/);
  const told = await toldAnew();
  expect(shown.output.slice(told)).not.toContain("hidden");
  shown.type("exit\r");
  await shown.until(/overview.*console/);
  shown.type("\u001b");
  await shown.until("asleep");
  shown.type("k!");
  await shown.until("asleep is stopped: it has no shell");
  shown.type("\u0003");
  expect(await shown.ended()).toBe(0);
  await shown.restored();
});
