import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HypeError, type WholeProfileHead } from "../../src/contract/index.ts";
import { bad } from "../../src/profile-archive/bad.ts";
import { readArchive } from "../../src/profile-archive/read-archive.ts";
import type { TarFile } from "../../src/profile-archive/tar.ts";

/**
 * Writes the files of an archive, which a guest made, into a new directory of the agent's own.
 * @throws HypeError `invalid_request` saying what is wrong with the archive | `payload_too_large` | `guest_disk_full`
 */
export const unpack = (source: AsyncIterable<Uint8Array>, directory: string): Promise<WholeProfileHead> =>
  readArchive(source, (file) => write(join(directory, file.path), file));

async function write(path: string, { content }: TarFile): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await using file = await open(path, "wx", 0o600);
    for await (const chunk of content)
      for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
  } catch (thrown) {
    if (thrown instanceof HypeError) throw thrown;
    const { code } = thrown as { code?: string };
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new HypeError("guest_disk_full", "the profile does not fit into the guest", {}, { cause: thrown });
    if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") throw bad("two of its files have one path");
    throw thrown;
  }
}
