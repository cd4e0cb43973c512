import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { paths, VM_LOG_FILES, VMM_DIRECTORY } from "../config/paths.ts";
import { ensurePrivateDir, tailFile } from "../host/files.ts";
import type { Context } from "./context.ts";

type Dirs = Pick<Context, "config">;
const runDir = (ctx: Dirs, vmId: string) => paths.vmRun(ctx.config, vmId);
const logDir = (ctx: Dirs, vmId: string) => paths.vmLogs(ctx.config, vmId);

/** What stands in `status_reason`'s company: enough to see a panic, too little to bloat every list. */
const CONSOLE_TAIL_BYTES = 4096;

/** An empty run directory, and a log directory whose logs of the start before are kept as `*.1`. @throws HypeError disk_full | state_unwritable */
export function makeDirectories(
  ctx: Dirs,
  vmId: string,
  _uid: number | null,
): { runDir: string; workDir: string; logDir: string } {
  removeRunDirectory(ctx, vmId);
  ensurePrivateDir(runDir(ctx, vmId));
  ensurePrivateDir(logDir(ctx, vmId));
  for (const file of Object.values(VM_LOG_FILES)) {
    const path = join(logDir(ctx, vmId), file);
    if (existsSync(path)) renameSync(path, `${path}.1`);
  }
  const workDir = join(runDir(ctx, vmId), VMM_DIRECTORY);
  ensurePrivateDir(workDir);
  return { runDir: runDir(ctx, vmId), workDir, logDir: logDir(ctx, vmId) };
}

export const removeRunDirectory = (ctx: Dirs, vmId: string): void =>
  rmSync(runDir(ctx, vmId), { recursive: true, force: true });

export const removeLogDirectory = (ctx: Dirs, vmId: string): void =>
  rmSync(logDir(ctx, vmId), { recursive: true, force: true });

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
