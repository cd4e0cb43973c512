import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { HypeError, messageOf } from "../../src/contract/index.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Opens the file of a download, under its own name or the one it has while it arrives. The directory is the browser's, so what lies
 * there may be anything: only a regular file of the browser's own user is read, and no link is followed.
 * @param owner null: this process's own user
 * @throws HypeError `download_gone`
 */
export function openDownload(path: string, owner: number | null): number {
  let why = "";
  // While it arrives, Chromium may hold its own name with an empty file: the one it writes to comes first.
  for (const name of [`${path}.crdownload`, path, `${path}.crdownload`]) {
    try {
      const file = openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const { uid } = fstatSync(file);
      if (fstatSync(file).isFile() && uid === (owner ?? process.getuid?.())) return file;
      closeSync(file);
      why = "it is not a file of the browser's";
    } catch (thrown) {
      why = messageOf(thrown); // renamed between the two looks: the third finds it
    }
  }
  throw new HypeError("download_gone", `its bytes are not there: ${why}`);
}

/** Hex. Closes the file; lets others run between chunks. */
export async function sha256Of(file: number): Promise<string> {
  try {
    const hash = new Bun.CryptoHasher("sha256");
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
      await new Promise(setImmediate);
    }
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}
