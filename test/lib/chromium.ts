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
    for (const task of namesIn(`/proc/${parent}/task`))
      all.push(...childrenOf(`/proc/${parent}/task/${task}/children`));
  return all;
}

/** Resolves when none of them is there any more. */
export async function ended(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await new Promise((next) => setImmediate(next));
}

/** Empty when it ended meanwhile. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
function childrenOf(file: string): number[] {
  try {
    return readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export const isRenderer = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer");
