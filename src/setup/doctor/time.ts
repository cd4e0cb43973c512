import { statSync } from "node:fs";
import { run } from "../../host/run.ts";
import { type Check, fine, finding } from "./check.ts";

/** A file's date may lie a little ahead of a clock that was just set back. */
const TOLERANCE_MS = 86_400_000;

export const clock: Check = {
  id: "clock",
  async run() {
    const why =
      "Guests take their time from this host: with a wrong one every certificate looks expired or not yet valid";
    const now = Date.now();
    const seen = new Date(now).toISOString();
    const built = statSync(process.execPath).mtimeMs;
    const remedy = "Set the clock: timedatectl set-ntp true";
    if (now + TOLERANCE_MS < built) return finding("fail", `it is ${seen}, before this program was built`, why, remedy);
    const synchronised = await isSynchronised();
    if (synchronised === false) return finding("warn", `${seen}, not synchronised`, why, remedy);
    return fine(`${seen}${synchronised ? ", synchronised" : ""}`, why);
  },
};

/** @returns null where nobody can say (timedatectl(1)). */
async function isSynchronised(): Promise<boolean | null> {
  if (!Bun.which("timedatectl")) return null;
  try {
    const { code, stdout } = await run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], {
      timeoutMs: 5_000,
    });
    return code === 0 ? stdout.trim() === "yes" : null;
  } catch {
    return null;
  }
}
