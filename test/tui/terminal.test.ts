import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(30_000);
const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

/** What a terminal is told on the way in, and must be told on the way out (xterm's control sequences). */
const MODES: [name: string, on: string, off: string][] = [
  ["the alternate screen", "\u001b[?1049h", "\u001b[?1049l"],
  ["mouse", "\u001b[?1000h", "\u001b[?1000l"],
  ["bracketed paste", "\u001b[?2004h", "\u001b[?2004l"],
];

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());

/** The program in a terminal of its own. */
class Shown implements AsyncDisposable {
  output = "";
  readonly #home = temporaryDirectory();
  readonly #child: Bun.Subprocess;
  #heard = Promise.withResolvers<void>();

  constructor(env: Record<string, string> = {}, argv: string[] = []) {
    this.#child = Bun.spawn([process.execPath, MAIN, ...argv], {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.#home.path,
        TERM: "xterm-256color",
        OVERHYPED_CONFIG: "/dev/null",
        OVERHYPED_API_BASE: server.url,
        OVERHYPED_API_KEY: KEY,
        ...env,
      },
      cwd: this.#home.path,
      terminal: {
        cols: 100,
        rows: 30,
        data: (_terminal, data) => {
          this.output += new TextDecoder().decode(data);
          const heard = this.#heard;
          this.#heard = Promise.withResolvers();
          heard.resolve();
        },
      },
    });
  }
  get pid(): number {
    return this.#child.pid;
  }
  async until(text: string | RegExp): Promise<void> {
    const has = () => (typeof text === "string" ? this.output.includes(text) : text.test(this.output));
    while (!has()) {
      const ended = await Promise.race([this.#heard.promise.then(() => false), this.#child.exited.then(() => true)]);
      if (ended && !has())
        throw new Error(`it ended without ${String(text)}: ${JSON.stringify(this.output.slice(-600))}`);
    }
  }
  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  hangUp(): void {
    this.#child.terminal?.close();
  }
  /** @returns its exit code; null when a signal ended it */
  async ended(): Promise<number | null> {
    await this.#child.exited;
    return this.#child.exitCode;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
    this.#home[Symbol.dispose]();
  }
}

/** Every mode that was switched on was switched off again, after it. */
function expectRestored(output: string): void {
  for (const [name, on, off] of MODES) {
    expect(output.includes(on), name).toBe(true);
    expect(output.lastIndexOf(off), `${name} is off at the end`).toBeGreaterThan(output.lastIndexOf(on));
  }
  expect(output.lastIndexOf("\u001b[?25h"), "the cursor is shown").toBeGreaterThan(output.lastIndexOf("\u001b[?25l"));
}

describe("the terminal is as it was", () => {
  test("when the user leaves", async () => {
    await using shown = new Shown();
    await shown.until("demo");
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    expectRestored(shown.output);
  });

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("when %s comes", async (signal) => {
    await using shown = new Shown();
    await shown.until("demo");
    shown.kill(signal);
    await shown.ended();
    expectRestored(shown.output);
  });

  test("when it is suspended, and it is drawn anew when it is continued", async () => {
    await using shown = new Shown();
    await shown.until("demo");
    shown.type("\u001a");
    await shown.until("\u001b[?1049l");
    const state = () =>
      /^State:\s+(\S)/m.exec(require("node:fs").readFileSync(`/proc/${shown.pid}/status`, "utf8"))?.[1];
    while (state() !== "T") await new Promise(setImmediate);
    expectRestored(shown.output);
    shown.output = "";
    shown.kill("SIGCONT");
    await shown.until("demo");
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    expectRestored(shown.output);
  });
});

test("a terminal that is closed under it leaves no process", async () => {
  await using shown = new Shown();
  await shown.until("demo");
  shown.hangUp();
  await shown.ended();
});

test("no colours where none are wanted; a terminal nobody knows is used as it is", async () => {
  await using plain = new Shown({ NO_COLOR: "1", TERM: "nobody-knows" });
  await plain.until("demo");
  // eslint-disable-next-line no-control-regex
  expect(plain.output).not.toMatch(/\u001b\[[0-9;]*[34]8;[25];/);
});

test("a terminal that cannot move its cursor: said, exit 2, nothing drawn", async () => {
  await using shown = new Shown({ TERM: "dumb" });
  expect(await shown.ended()).toBe(2);
  expect(shown.output).toContain("TERM=dumb");
  expect(shown.output).not.toContain("\u001b[?1049h");
});
