import { chmodSync, chownSync, closeSync, existsSync, fchownSync, openSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { paths, VM_LOG_FILES, VMM_DIRECTORY } from "../config/paths.ts";
import { ensurePrivateDir, fileError, removeTree, tailFile } from "../host/files.ts";
import type { Context } from "./context.ts";

type Dirs = Pick<Context, "config">;
const runDir = (ctx: Dirs, vmId: string) => paths.vmRun(ctx.config, vmId);
const logDir = (ctx: Dirs, vmId: string) => paths.vmLogs(ctx.config, vmId);

/** What stands in `status_reason`'s company: enough to see a panic, too little to bloat every list. */
const CONSOLE_TAIL_BYTES = 4096;

/**
 * An empty run directory, and a log directory whose logs of the start before are kept as `*.1`. The VMM's user gets a directory inside the
 * first and may walk through it, but not look into it; of the logs it gets the console's file alone.
 * @param uid user of the VMM; null: the server's own.
 * @throws HypeError disk_full | state_unwritable
 */
export async function makeDirectories(
  ctx: Dirs,
  vmId: string,
  uid: number | null,
): Promise<{ runDir: string; workDir: string; logDir: string }> {
  await removeRunDirectory(ctx, vmId);
  ensurePrivateDir(runDir(ctx, vmId));
  ensurePrivateDir(logDir(ctx, vmId));
  for (const file of Object.values(VM_LOG_FILES)) {
    const path = join(logDir(ctx, vmId), file);
    if (existsSync(path)) renameSync(path, `${path}.1`);
  }
  const workDir = join(runDir(ctx, vmId), VMM_DIRECTORY);
  ensurePrivateDir(workDir);
  makeConsole(logFiles(ctx, vmId).console, uid);
  if (uid !== null) {
    chownSync(workDir, uid, uid);
    chmodSync(runDir(ctx, vmId), 0o711);
  }
  return { runDir: runDir(ctx, vmId), workDir, logDir: logDir(ctx, vmId) };
}

/** The VMM appends to a file that is there, since it may make none beside it. */
function makeConsole(path: string, uid: number | null): void {
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      if (uid !== null) fchownSync(file, uid, uid);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

export const removeRunDirectory = (ctx: Dirs, vmId: string): Promise<void> => removeTree(runDir(ctx, vmId));

export const removeLogDirectory = (ctx: Dirs, vmId: string): Promise<void> => removeTree(logDir(ctx, vmId));

/** Absolute paths of a VM's logs on the host. */
export const logFiles = (ctx: Dirs, vmId: string): { console: string; vmm: string } => ({
  console: join(logDir(ctx, vmId), VM_LOG_FILES.console),
  vmm: join(logDir(ctx, vmId), VM_LOG_FILES.vmm),
});

/** Last lines of the guest's console, without escape sequences and control characters; null when it said nothing. */
export function consoleTail(ctx: Dirs, vmId: string): string | null {
  const text = Bun.stripANSI(tailFile(logFiles(ctx, vmId).console, CONSOLE_TAIL_BYTES))
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .trim();
  return text === "" ? null : text;
}

/** Directories named like a VM's (the end of its id) in a directory of ours; everything else there is not touched. */
export const vmDirectoriesIn = (parent: string): string[] =>
  existsSync(parent) ? readdirSync(parent).filter((name) => /^[0-9a-f]{12}$/.test(name)) : [];
