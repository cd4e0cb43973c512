import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { EscapeWatch } from "../../src/cli/shell/escape.ts";
import { ModeWatch } from "../../src/cli/shell/modes.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { RUN_MARK } from "../lib/leftovers.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

/** `hype vms shell` as a program of its own, on pipes and in a terminal. */
setDefaultTimeout(60_000);
const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");
const home = temporaryDirectory();
let agent: RunningAgent;
let server: TestServer;
beforeAll(async () => {
  agent = await startAgent();
  server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", new Guest(agent.endpoint, agent.token));
  server.engine.add("asleep", { status: "stopped" });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

const common = () => ({
  cwd: home.path,
  env: {
    PATH: process.env.PATH ?? "",
    HOME: home.path,
    TERM: "xterm-256color",
    OVERHYPED_CONFIG: "/dev/null",
    OVERHYPED_API_BASE: server.url,
    OVERHYPED_API_KEY: KEY,
    ...(process.env[RUN_MARK] ? { [RUN_MARK]: process.env[RUN_MARK] } : {}),
  },
});
const argv = (...words: string[]) => [process.execPath, MAIN, "vms", "shell", ...words];

async function piped(words: string[], input: string | Uint8Array = "") {
  const child = Bun.spawn(argv(...words), { ...common(), stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, text: Buffer.from(stdout).toString(), stderr, code };
}

describe("without a terminal", () => {
  test("a script on standard input, and its code", async () => {
    expect(await piped(["demo"], "echo $((6*7)); exit 9\n")).toMatchObject({ text: "42\n", stderr: "", code: 9 });
  });

  test("bytes as they are, standard error apart", async () => {
    const bytes = Buffer.alloc(1_000_000, Buffer.from(Array.from({ length: 256 }, (_, at) => at)));
    const { stdout, stderr, code } = await piped(["demo", "--", "sh", "-c", "cat; echo fault >&2"], bytes);
    expect({ isSame: Buffer.from(stdout).equals(bytes), stderr, code }).toEqual({
      isSame: true,
      stderr: "fault\n",
      code: 0,
    });
  });

  test("options after -- are the command's", async () => {
    expect((await piped(["demo", "--", "printf", "%s", "--json"])).text).toBe("--json");
  });

  test.each([
    [["asleep"], 1, "error[vm_not_running]"],
    [["nobody"], 1, "error[vm_not_found]"],
    [["demo", "--", "/nonexistent/program"], 127, "/nonexistent/program"],
    [["demo", "--json"], 2, "not for a shell"],
    [[], 2, "an argument is missing"],
    [["demo", "-la"], 2, "unknown option"],
  ])("%j ends with %d", async (words, code, said) => {
    const outcome = await piped(words);
    expect(outcome.stderr).toContain(said);
    expect(outcome.code).toBe(code);
  });
});

/** The program in a terminal of its own, whose modes can be looked at once it has ended. */
function shown(...words: string[]) {
  let told = "";
  let heard = Promise.withResolvers<void>();
  const script =
    '"$@"; echo "code=$?"; stty -a | tr " ;" "\\n\\n" | grep -E "^-?(echo|opost|icanon)$" | tr "\\n" " "; echo sh""own';
  const child = Bun.spawn(["sh", "-c", script, "sh", ...argv(...words)], {
    ...common(),
    terminal: {
      cols: 90,
      rows: 25,
      data(_terminal, data) {
        told += Buffer.from(data).toString();
        heard.resolve();
        heard = Promise.withResolvers();
      },
    },
  });
  return {
    type: (text: string) => child.terminal?.write(text),
    resize: (columns: number, rows: number) => child.terminal?.resize(columns, rows),
    async until(text: string): Promise<string> {
      while (!told.includes(text)) await heard.promise;
      return told;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      child.terminal?.close();
      await child.exited;
    },
  };
}

describe("in a terminal", () => {
  test("it has one, follows its size, and passes the exit code on", async () => {
    await using terminal = shown("demo");
    await terminal.until("demo: ctrl-] leaves");
    terminal.type("stty size\r");
    await terminal.until("25 90");
    terminal.resize(70, 20); // the guest is told once the program has heard of it
    terminal.type('until [ "$(stty size)" = "20 70" ]; do sleep 0.02; done; echo fol""lowed\r');
    await terminal.until("followed");
    terminal.type("exit 6\r");
    await terminal.until("code=6");
    expect(await terminal.until("echo shown")).toContain("opost icanon echo shown");
  });

  test("ctrl-] leaves, whatever the guest does with its terminal, which is put back", async () => {
    await using terminal = shown(
      "demo",
      "--",
      "sh",
      "-c",
      "trap '' INT HUP; stty raw -echo; printf '\\033[?1049h\\033[?1003hlo''cked'; exec sleep 1000",
    );
    await terminal.until("locked");
    terminal.type("\u0003\u001d");
    await terminal.until("left demo");
    await terminal.until("code=0");
    const told = await terminal.until("echo shown");
    expect(told).toContain("opost icanon echo shown");
    expect(told.lastIndexOf("\u001b[?1049l")).toBeGreaterThan(told.lastIndexOf("\u001b[?1049h"));
    expect(told).toContain("\u001b[?1003l");
  });
});

test("the key that leaves is found in what is typed, in both ways it is sent", () => {
  const watch = new EscapeWatch();
  expect(watch.read(Buffer.from("ls\u001b[A"))).toEqual({ before: Buffer.from("ls\u001b[A"), isPressed: false });
  expect(watch.read(Buffer.from("ls\u001dx"))).toEqual({ before: Buffer.from("ls"), isPressed: true });
  expect(watch.read(Buffer.from("\u001b[93;5u"))).toMatchObject({ isPressed: true });
});

test.each([
  ["what was switched on and off again", ["\u001b[?2004h", "\u001b[?2004l"], ""],
  ["a sequence in pieces", ["\u001b[?10", "49hx"], "\u001b[?1049l"],
  ["several modes in one", ["\u001b[?1000;1006h"], "\u001b[?1000l\u001b[?1006l"],
  ["a hidden cursor", ["\u001b[?25l"], "\u001b[?25h"],
  ["keyboard modes", ["\u001b[>1u"], "\u001b[<99u\u001b[=0u\u001b[>4;0m"],
])("of a guest's modes is undone: %s", (_name, said, undone) => {
  const modes = new ModeWatch();
  for (const piece of said) modes.see(Buffer.from(piece));
  expect(modes.undo()).toBe(`\u001b\\${undone}\u001b[0m\u001b(B\u000f`);
});
