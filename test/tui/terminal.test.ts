import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { Shown } from "./pty.ts";

setDefaultTimeout(30_000);

const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
  server.engine.add("slow", { status: "stopped" });
  server.engine.start = () => new Promise(() => {}); // a boot that takes for ever
});
afterAll(() => server[Symbol.asyncDispose]());

describe("the terminal is as it was", () => {
  test("when the user leaves", async () => {
    await using shown = new Shown(server.url);
    await shown.until("demo");
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    await shown.restored();
  });

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("when %s comes", async (signal) => {
    await using shown = new Shown(server.url);
    await shown.until("demo");
    shown.kill(signal);
    await shown.ended();
    await shown.restored();
  });

  // As beneath a shell with job control, and in a script that is run by one: the whole job stops, and fg brings it back.
  test.each([
    ["ctrl-z", '"$@"'],
    ["ctrl-z, in a script", `sh -c '"$@"; exit $?' sh "$@"`],
    ["kill -TSTP", '"$@"'],
  ])("when it is suspended (%s), and it is drawn anew when it is continued", async (how, program) => {
    await using shown = new Shown(
      server.url,
      {},
      `set -m; ${program}; echo; echo shell is back; read -r _; fg; exit $?`,
    );
    await shown.until("demo");
    if (how === "kill -TSTP") process.kill(childOf(shown.pid), "SIGTSTP");
    else shown.type("\u001a");
    await shown.told("shell is back");
    await shown.restored();
    shown.output = "";
    shown.type("\r");
    await shown.until("demo");
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    await shown.restored();
  });

  test("where no shell could continue it, ctrl-z leaves it as it is", async () => {
    await using shown = new Shown(server.url);
    await shown.until("demo");
    shown.type("\u001a");
    await shown.heard((output) => output.split("\u001b[?1049h").length === 3);
    await shown.until("demo");
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    await shown.restored();
  });
});

test("what the kernel does with its lines is as it was, too", async () => {
  await using shown = new Shown(server.url, {}, 'stty -g; "$@"; code=$?; echo; stty -g; echo "ended $code"');
  await shown.until("slow");
  shown.type("q");
  expect(await shown.ended()).toBe(0);
  await shown.told("ended 0");
  const settings = shown.output.match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm);
  expect(settings).toHaveLength(2);
  expect(settings![1]).toBe(settings![0]!);
});

/** What a person may have begun before: nothing of it holds the program. */
const BEGUN: [name: string, keys: string, seen: string][] = [
  ["with nothing begun", "", "slow"],
  ["while a boot is waited for", "Gs", "starting"],
  ["while a command of the palette goes on", ":vms watch\r", "ctrl-c ends it"],
];
describe.each(BEGUN)("%s", (_name, keys, seen) => {
  test("leaving ends it", async () => {
    await using shown = new Shown(server.url);
    await shown.until("slow");
    shown.type(keys);
    await shown.until(seen);
    shown.kill("SIGTERM");
    expect(await shown.ended()).toBe(0);
    await shown.restored();
  });

  test("a terminal that is closed under it leaves no process", async () => {
    await using shown = new Shown(server.url);
    await shown.until("slow");
    shown.type(keys);
    await shown.until(seen);
    shown.hangUp();
    await shown.ended();
  });
});

test("a server that answers nonsense no view can show: the terminal is given back, and what happened is said", async () => {
  using nonsense = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === "/api/v1/vms"
        ? Response.json({ items: [{ id: "1", name: "x", status: "dreaming" }], total: 1 })
        : Response.json({ last_event_seq: 0, items: [] }),
  });
  await using shown = new Shown(nonsense.url.origin);
  expect(await shown.ended()).toBe(1);
  await shown.restored();
  await shown.told("error[internal]");
  const afterwards = shown.output.slice(shown.output.lastIndexOf("\u001b[?1049l"));
  expect(afterwards).toContain("error[internal]");
});

test("no colours where none are wanted; a terminal nobody knows is used as it is", async () => {
  await using plain = new Shown(server.url, { NO_COLOR: "1", TERM: "nobody-knows" });
  await plain.until("demo");
  // Nothing that is seen: an empty frame comes before the first of ours.
  // eslint-disable-next-line no-control-regex
  expect(plain.output).not.toMatch(/\u001b\[[0-9;]*[34]8;[25];[\d;]*m(\u001b\[[\d;]*m)* *[^ \u001b]/);
});

test("a terminal that cannot move its cursor: said, exit 2, nothing drawn", async () => {
  await using shown = new Shown(server.url, { TERM: "dumb" });
  expect(await shown.ended()).toBe(2);
  await shown.told("TERM=dumb");
  expect(shown.output).not.toContain("\u001b[?1049h");
});

test("options without a command: leaving ends it as well, whatever goes on", async () => {
  await using shown = new Shown(server.url, {}, 'exec "$@" --theme light');
  await shown.until("demo");
  shown.type(":vms watch\r");
  await shown.until("ctrl-c ends it");
  shown.kill("SIGTERM");
  await shown.ended();
  await shown.restored();
});
