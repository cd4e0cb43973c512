import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { HypeError, MAX_WHOLE_PROFILE, WholeProfileHead } from "../../src/contract/index.ts";
import { bad } from "./bad.ts";
import { isKept } from "./kept-files.ts";
import { type TarFile, untar } from "./tar.ts";

/** First in an archive: what the files do not say. */
export const HEAD = "hype-profile.json";

/**
 * Writes the files of an archive, which a guest made, into a new directory of the agent's own.
 * @throws HypeError `invalid_request` saying what is wrong with the archive | `payload_too_large` | `guest_disk_full`
 */
export async function unpack(source: AsyncIterable<Uint8Array>, directory: string): Promise<WholeProfileHead> {
  let head: WholeProfileHead | null = null;
  let [files, bytes] = [0, 0];
  for await (const file of untar(source)) {
    files += 1;
    bytes += file.bytes;
    if (bytes > MAX_WHOLE_PROFILE.unpackedBytes || files > MAX_WHOLE_PROFILE.files)
      throw new HypeError(
        "payload_too_large",
        `a profile may have ${MAX_WHOLE_PROFILE.files} files and ${MAX_WHOLE_PROFILE.unpackedBytes} bytes`,
      );
    if (head === null) head = await headOf(file);
    else if (isKept(file.path)) await write(join(directory, file.path), file);
    else throw bad(`${JSON.stringify(file.path.slice(0, 200))} belongs to no profile`);
  }
  if (head === null) throw bad("it is empty");
  return head;
}

async function headOf({ path, bytes, content }: TarFile): Promise<WholeProfileHead> {
  if (path !== HEAD || bytes > MAX_WHOLE_PROFILE.headBytes) throw bad(`it does not begin with ${HEAD}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  try {
    return v.parse(WholeProfileHead, JSON.parse(Buffer.concat(chunks).toString()));
  } catch {
    throw bad(`${HEAD} is not understood`);
  }
}

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
