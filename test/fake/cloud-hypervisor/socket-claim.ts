import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { lockFile } from "./libc.ts";

/** unix(7): 108 bytes with the closing zero. */
const PATH_LIMIT_BYTES = 107;

/**
 * From v53 on a lock beside the socket tells a live owner from a stale file, which is removed; the lock file stays behind.
 * Before, a path that exists was the end of it, and v52 then removed the path, whoever owned it.
 * @returns what to do at a clean end. @throws Error with the message the original ends with.
 */
export function claimSocket(path: string, major: number): () => void {
  if (Buffer.byteLength(path) > PATH_LIMIT_BYTES) throw new Error(`path must be shorter than SUN_LEN: ${path}`);
  if (major < 53) {
    if (existsSync(path)) {
      if (major === 52) rmSync(path, { force: true });
      throw new Error(`Error binding API server socket: Address already in use (os error 98): ${path}`);
    }
    return () => rmSync(path, { force: true });
  }
  const lock = openSync(`${path}.lock`, "a", 0o666);
  if (!lockFile(lock, "write")) {
    closeSync(lock);
    throw new Error(`API socket ${path} is already in use`);
  }
  rmSync(path, { force: true });
  return () => rmSync(path, { force: true });
}
