import * as v from "valibot";
import { HypeError, MAX_WHOLE_PROFILE, WholeProfileHead } from "../contract/index.ts";
import { bad } from "./bad.ts";
import { isKept } from "./kept-paths.ts";
import { type TarFile, untar } from "./tar.ts";

/** First in an archive: what the files do not say. */
export const HEAD = "hype-profile.json";

/**
 * Reads the archive of a whole profile, which a guest made or a person brought: nothing in it is believed.
 * @param source the tar archive itself
 * @param take is given each file of the profile; its path is safe to join to a directory
 * @throws HypeError `invalid_request` saying what is wrong with the archive | `payload_too_large` | what `take` throws
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  take: (file: TarFile) => Promise<void>,
): Promise<WholeProfileHead> {
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
    else if (isKept(file.path)) await take(file);
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

/** What a decompressor or a reader threw, in words of ours. */
export function faultOf(thrown: unknown): unknown {
  const code = String((thrown as { code?: string } | null)?.code);
  return code.startsWith("ZSTD") || code === "Z_BUF_ERROR" ? bad("it is damaged or cut short") : thrown;
}
