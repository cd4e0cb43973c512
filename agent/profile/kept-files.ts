import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { bad } from "../../src/profile-archive/bad.ts";
import { isKept } from "../../src/profile-archive/kept-paths.ts";
import type { TarFile } from "../../src/profile-archive/tar.ts";

const CHUNK_BYTES = 256 * 1024;

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
