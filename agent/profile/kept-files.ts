import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { bad } from "./bad.ts";
import type { TarFile } from "./tar.ts";

/**
 * Where a headless Chromium keeps what sites left with it, below its user data directory (looked at with 156). All else is a cache,
 * belongs to one run, or is no site's: what a guest says is not to change how another guest's Chromium works.
 */
const KEPT =
  /^Default\/(Cookies(-journal)?|DIPS(-journal)?|Trust Tokens(-journal)?|(IndexedDB|Local Storage|Service Worker|WebStorage|File System|Storage|databases)\/.+)$/;
/** LevelDB makes them anew (its doc/impl.md). */
const OF_ONE_RUN = /\/(LOCK|LOG|LOG\.old)$/;
const MAX_DEPTH = 24;
const CHUNK_BYTES = 256 * 1024;

/** Whether a file of that path belongs to a profile that is kept. It is safe to join to a directory then. */
export function isKept(path: string): boolean {
  const parts = path.split("/");
  return (
    KEPT.test(path) &&
    !OF_ONE_RUN.test(path) &&
    !/\p{Cc}/u.test(path) &&
    parts.length <= MAX_DEPTH &&
    parts.every((part) => part !== "" && part !== "." && part !== ".." && Buffer.byteLength(part) <= 255)
  );
}

/** The files of a profile whose Chromium is closed. Links are not followed. */
export async function* keptFiles(userDataDir: string): AsyncGenerator<TarFile> {
  for (const path of await below(userDataDir, "Default")) {
    await using file = await open(join(userDataDir, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { size: bytes } = await file.stat();
    yield { path, bytes, content: contentOf(file, bytes) };
  }
}

async function below(root: string, directory: string): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) return isKept(`${path}/any`) ? await below(root, path) : [];
      return entry.isFile() && isKept(path) ? [path] : [];
    }),
  );
  return found.flat().toSorted();
}

async function* contentOf(file: Awaited<ReturnType<typeof open>>, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw bad("a file became shorter while it was read");
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
