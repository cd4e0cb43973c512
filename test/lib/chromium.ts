import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Debian's package chromium-headless-shell. The program itself: the wrapper in /usr/bin is a script that signals do not pass. */
const PROGRAM = "/usr/lib/chromium/chromium-headless-shell";

/** The real Chromium of the tests. */
export function chromiumProgram(): string {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: install the package chromium-headless-shell`);
  return PROGRAM;
}

/** The pids of a Chromium: its own, and of everything it started. */
export function processesOf(chromium: number): number[] {
  const all = [chromium];
  for (const parent of all)
    for (const task of readdirSync(`/proc/${parent}/task`)) {
      const children = readFileSync(`/proc/${parent}/task/${task}/children`, "utf8");
      all.push(...children.split(" ").filter(Boolean).map(Number));
    }
  return all;
}

export const isRenderer = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer");
