import { lstatSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../../contract/errors.ts";

/** Where install.sh puts the program. */
export const INSTALLED_PROGRAM = "/usr/local/bin/hype";

/** The program a service is to run: this one where it is a compiled one, else the installed one. */
export const serviceProgram = (): string =>
  Bun.isStandaloneExecutable ? realpathSync(process.execPath) : INSTALLED_PROGRAM;

/** Why root should not run this file at every boot, or null: somebody else could put another in its place. */
export function programFault(path: string): string | null {
  try {
    for (let at = realpathSync(path); ; at = dirname(at)) {
      const { uid, mode } = lstatSync(at);
      if (uid !== 0) return `${at} belongs to uid ${uid}, who could replace what root runs`;
      if ((mode & 0o022) !== 0) return `${at} can be written by others than root, who could replace what root runs`;
      if (at === "/") return null;
    }
  } catch (thrown) {
    return messageOf(thrown);
  }
}
