import { existsSync } from "node:fs";

/** Debian's package chromium-headless-shell. The program itself: the wrapper in /usr/bin is a script that signals do not pass. */
const PROGRAM = "/usr/lib/chromium/chromium-headless-shell";

/** The real Chromium of the tests. */
export function chromiumProgram(): string {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: install the package chromium-headless-shell`);
  return PROGRAM;
}
