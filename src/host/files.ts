import { randomUUID } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { HypeError, messageOf } from "../contract/index.ts";

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

/** Last `bytes` of a file as text, from a whole line on; empty when there is no such file. */
export function tailFile(path: string, bytes = 8192): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const size = statSync(path).size;
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(file, buffer, 0, buffer.length, start);
    const text = buffer.toString("utf8", 0, read);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(file);
  }
}

/** Free space for this user on the file system of `path`, MB. */
export function diskFreeMb(path: string): number {
  const info = statfsSync(path);
  return Math.floor((info.bavail * info.bsize) / 1_048_576);
}
