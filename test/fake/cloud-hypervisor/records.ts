import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { ownDirectory } from "./moods.ts";

/** What tests read afterwards: how the program was started, and what was asked of it that the original would swallow in silence. */
export class Records {
  readonly #directory = ownDirectory();

  start(argv: string[]): void {
    if (this.#directory) append(join(this.#directory, "starts"), { pid: process.pid, cwd: process.cwd(), argv });
  }

  violation(call: string, what: string): void {
    append(join(this.#directory ?? ".", "violations"), { pid: process.pid, call, what });
  }
}

const append = (path: string, line: object): void => appendFileSync(path, `${JSON.stringify(line)}\n`);
