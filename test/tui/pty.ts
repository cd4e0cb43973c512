import { expect } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY } from "../server/harness.ts";

const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

/** The program in a terminal of its own. */
export class Shown implements AsyncDisposable {
  output = "";
  readonly #home = temporaryDirectory();
  readonly #child: Bun.Subprocess;
  #heard = Promise.withResolvers<void>();

  /** @param script run by a shell instead, `"$@"` being the program */
  constructor(server: string, env: Record<string, string> = {}, script = 'exec "$@"') {
    this.#child = Bun.spawn(["sh", "-c", script, "sh", process.execPath, MAIN], {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.#home.path,
        TERM: "xterm-256color",
        OVERHYPED_CONFIG: "/dev/null",
        OVERHYPED_API_BASE: server,
        OVERHYPED_API_KEY: KEY,
        ...env,
      },
      cwd: this.#home.path,
      terminal: {
        cols: 100,
        rows: 30,
        data: (terminal, data) => {
          const text = new TextDecoder().decode(data);
          this.output += text;
          // As a terminal that knows grapheme clusters and has them off (mode 2027).
          if (text.includes("\u001b[?2027$p")) terminal.write("\u001b[?2027;2$y");
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
  /** Until something more is drawn. */
  drawn(): Promise<void> {
    return this.#heard.promise;
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

/** Private modes of a terminal (DECSET, xterm's control sequences) that are on when nobody changed them: the cursor is shown. */
const ON_BEFORE = new Set(["25"]);

/** Every mode that was switched is at the end as it was before, the alternate screen among them. */
export function expectRestored(output: string): void {
  const last = new Map<string, string>();
  // eslint-disable-next-line no-control-regex
  for (const [, modes = "", to = ""] of output.matchAll(/\u001b\[\?([\d;]+)([hl])/g))
    for (const mode of modes.split(";")) last.set(mode, to);
  for (const mode of ["1049", "1000", "2004", "25"]) expect(last.has(mode), `mode ${mode} was switched`).toBe(true);
  const left = [...last].filter(([mode, to]) => to !== (ON_BEFORE.has(mode) ? "h" : "l"));
  expect(left, "modes that were left switched").toEqual([]);
  // The window's title: put on the terminal's stack, and taken off again.
  expect(output.split("\u001b[23;2t").length, "titles taken off").toBe(output.split("\u001b[22;2t").length);
}
