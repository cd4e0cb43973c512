import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  opendirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { HypeError, messageOf } from "../contract/index.ts";
import { run, tail } from "./run.ts";

const errno = (thrown: unknown): string | undefined => (thrown as { code?: string } | null)?.code;

/** Translates what the file system says into our errors; everything else passes through. */
export function fileError(thrown: unknown, path: string): unknown {
  switch (errno(thrown)) {
    case "ENOSPC":
    case "EDQUOT":
      return new HypeError("disk_full", `no space left while writing ${path}`, { path }, { cause: thrown });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new HypeError(
        "state_unwritable",
        `uid ${process.getuid?.()} cannot write ${path}: ${messageOf(thrown)}`,
        { path },
        { cause: thrown },
      );
    default:
      return thrown;
  }
}

/** Makes a directory (and its parents) that only this user can enter. @throws HypeError state_unwritable | disk_full */
export function ensurePrivateDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** Writes a whole file or nothing: temporary name, fsync, rename. @throws HypeError state_unwritable | disk_full */
export function writeAtomic(path: string, data: string | Uint8Array, mode = 0o600): void {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const file = openSync(temporary, "wx", mode);
    try {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw fileError(thrown, path);
  }
}

/**
 * Opens a file whose name another user may have put something else under: no link is followed, a FIFO is not waited at (open(2)).
 * @returns null when there is no regular file by that name.
 */
export function openRegular(path: string, access: number = constants.O_RDONLY): number | null {
  let file: number;
  try {
    file = openSync(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (["ENOENT", "ELOOP", "ENXIO", "EISDIR", "ENOTDIR"].includes(errno(thrown) ?? "")) return null;
    throw thrown;
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return null;
}

/** O_PATH of open(2), which node:fs does not name: a handle on a name, whatever it is, that opens nothing. */
const O_PATH = 0o10000000;

/**
 * A Unix socket in a directory of another user, to be connected to while this is held. That user may put a link to anybody's socket in its
 * place: only a socket of the directory's own owner is taken, and it cannot be changed for another between look and connect(2).
 * @throws what openSync throws (ENOENT while it is not there), or HypeError hypervisor_failed when it is none of that user's sockets.
 */
export function pinSocket(path: string): Disposable & { path: string } {
  const file = openSync(path, O_PATH | constants.O_NOFOLLOW);
  const found = fstatSync(file);
  if (!found.isSocket() || found.uid !== statSync(dirname(path)).uid) {
    closeSync(file);
    throw new HypeError("hypervisor_failed", `${path} is not a socket of the user whose directory it lies in`, {
      path,
    });
  }
  return { path: `/proc/self/fd/${file}`, [Symbol.dispose]: () => closeSync(file) };
}

/** Last `bytes` of a regular file as text, from a whole line on; empty when there is no such file. */
export function tailFile(path: string, bytes = 8192): string {
  let file: number | null;
  try {
    file = openRegular(path);
  } catch {
    return "";
  }
  if (file === null) return "";
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(file, buffer, 0, buffer.length, start);
    const text = buffer.toString("utf8", 0, read);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(file);
  }
}

const REMOVE_ATTEMPTS = 3;
/** What a directory of ours holds at most; more was put there by a VMM. */
const TREE_DEPTH = 4;
const TREE_ENTRIES = 1000;

/**
 * Removes a directory that a program nobody trusts could write to, with all in it; links are removed, not followed. Harmless when it is
 * gone. A small tree goes at once, anything else by rm(1): `fs.rm` of Bun blocks for seconds in a tree a thousand levels deep
 * (measured, 1.4.5).
 * @throws HypeError state_unwritable when it cannot be removed.
 */
export async function removeTree(path: string): Promise<void> {
  if (removeSmall(path, TREE_DEPTH, { left: TREE_ENTRIES })) return;
  let why = "";
  // A process that dies may still make a file under it: then it is not empty when its turn comes.
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    const { code, stderr } = await run(["rm", "-rf", "--", path], { timeoutMs: 600_000 });
    if (code === 0) return;
    why = tail(stderr, 3);
  }
  throw new HypeError("state_unwritable", `${path} cannot be removed: ${why}`, { path });
}

/** @returns false when not all of it is gone. */
function removeSmall(path: string, depth: number, entries: { left: number }): boolean {
  try {
    const directory = opendirSync(path);
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        if (entries.left-- <= 0) return false;
        const name = join(path, entry.name);
        if (!entry.isDirectory()) unlinkSync(name);
        else if (depth === 0 || !removeSmall(name, depth - 1, entries)) return false;
      }
    } finally {
      directory.closeSync();
    }
    rmdirSync(path);
    return true;
  } catch (thrown) {
    return errno(thrown) === "ENOENT";
  }
}

/** Free space for this user on the file system of `path`, MB. */
export function diskFreeMb(path: string): number {
  const info = statfsSync(path);
  return Math.floor((info.bavail * info.bsize) / 1_048_576);
}
