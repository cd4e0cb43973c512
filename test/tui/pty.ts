import { expect } from "bun:test";
import { join } from "node:path";
import { RUN_MARK } from "../lib/leftovers.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY } from "../server/harness.ts";
import { Emulator } from "./emulator.ts";

/** As a terminal that knows grapheme clusters and has them off (mode 2027), and kitty's keyboard protocol. */
export const ANSWERS: [question: string, answer: string][] = [
  ["\u001b[?2027$p", "\u001b[?2027;2$y"],
  ["\u001b[?u", "\u001b[?0u"],
];
const SIZE = { cols: 100, rows: 30 };
const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

/** The program in a terminal of its own. */
export class Shown implements AsyncDisposable {
  /** Every byte it told its terminal. */
  output = "";
  readonly #emulator = new Emulator(SIZE.cols, SIZE.rows);
  readonly #home = temporaryDirectory();
  readonly #child: Bun.Subprocess;
  #heard = Promise.withResolvers<void>();

  /**
   * @param script run by a shell instead, `"$@"` being the program
   * @param answers of the terminal to further questions
   */
  constructor(
    server: string,
    env: Record<string, string> = {},
    script = 'exec "$@"',
    answers: readonly [question: string, answer: string][] = [],
  ) {
    const decoder = new TextDecoder();
    const unanswered = new Map([...ANSWERS, ...answers]);
    this.#child = Bun.spawn(["sh", "-c", script, "sh", process.execPath, MAIN], {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.#home.path,
        TERM: "xterm-256color",
        OVERHYPED_CONFIG: "/dev/null",
        OVERHYPED_API_BASE: server,
        OVERHYPED_API_KEY: KEY,
        ...(process.env[RUN_MARK] ? { [RUN_MARK]: process.env[RUN_MARK] } : {}),
        ...env,
      },
      cwd: this.#home.path,
      terminal: {
        ...SIZE,
        data: (terminal, data) => {
          const text = decoder.decode(data, { stream: true });
          this.output += text;
          this.#emulator.write(text);
          for (const [question, answer] of unanswered)
            if (this.output.includes(question)) {
              unanswered.delete(question);
              terminal.write(answer);
            }
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
  /** Waits for a screen that holds the text. @returns that screen */
  async until(wanted: string | RegExp): Promise<string> {
    for (;;) {
      const screen = this.#emulator.text();
      if (typeof wanted === "string" ? screen.includes(wanted) : wanted.test(screen)) return screen;
      await this.#more(wanted);
    }
  }
  /** Waits until what it told its terminal is so. @returns all of it */
  async heard(isSo: (output: string) => boolean): Promise<string> {
    while (!isSo(this.output)) await this.#more(isSo.toString());
    return this.output;
  }
  /** Waits until its terminal was told this sequence. */
  async told(sequence: string): Promise<void> {
    while (!this.output.includes(sequence)) await this.#heard.promise; // its last words may be read after its end
  }
  async #more(wanted: string | RegExp): Promise<void> {
    const heard = this.#heard.promise;
    const ended = await Promise.race([heard.then(() => false), this.#child.exited.then(() => true)]);
    if (ended) throw new Error(`it ended without ${String(wanted)}: ${JSON.stringify(this.output.slice(-600))}`);
  }
  /** Waits until the terminal was given back, and looks whether all of it was. */
  async restored(): Promise<void> {
    // Its last words may be read after its end is known.
    while (this.output.lastIndexOf(TITLE.pop) <= this.output.lastIndexOf(TITLE.push)) await this.#heard.promise;
    expectRestored(this.output);
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

/** The window's title on and off the terminal's stack; taking it off is the last thing that is told. */
const TITLE = { push: "\u001b[22;2t", pop: "\u001b[23;2t" };
/** Private modes of a terminal (DECSET, xterm's control sequences) that are on when nobody changed them: the cursor is shown. */
const ON_BEFORE = new Set(["25"]);

/** Every mode that was switched is at the end as it was before, the alternate screen among them. */
function expectRestored(output: string): void {
  const last = modesIn(output);
  for (const mode of ["1049", "1000", "2004", "25"]) expect(last.has(mode), `mode ${mode} was switched`).toBe(true);
  expect(leftSwitched(last), "modes that were left switched").toEqual([]);
  const times = (sequence: RegExp) => output.match(sequence)?.length ?? 0;
  // eslint-disable-next-line no-control-regex
  expect(times(/\u001b\[<\d*u/g), "keyboard modes taken off").toBe(times(/\u001b\[>\d+u/g));
  expect(output.split(TITLE.pop).length, "titles taken off").toBe(output.split(TITLE.push).length);
}

/** The modes a terminal was told to switch, and how each was left: `h` on, `l` off. */
export function modesIn(output: string): Map<string, string> {
  const last = new Map<string, string>();
  // eslint-disable-next-line no-control-regex
  for (const [, modes = "", to = ""] of output.matchAll(/\u001b\[\?([\d;]+)([hl])/g))
    for (const mode of modes.split(";")) last.set(mode, to);
  return last;
}

export const leftSwitched = (modes: ReadonlyMap<string, string>): [mode: string, to: string][] =>
  [...modes].filter(([mode, to]) => to !== (ON_BEFORE.has(mode) ? "h" : "l"));
