import { once } from "node:events";
import { createZstdDecompress } from "node:zlib";
import type { WholeProfileHead } from "../contract/index.ts";
import { faultOf, readArchive } from "../profile-archive/read-archive.ts";

/**
 * An archive that somebody brought, as it comes; looked through on its way, so that nothing else is ever kept as one.
 * @param tell is given its head once all of it was found good, before the last of it is passed on as ended
 * @throws HypeError invalid_request saying what is wrong with it | payload_too_large
 */
export async function* inspected(
  archive: AsyncIterable<Uint8Array>,
  tell: (head: WholeProfileHead) => void,
): AsyncGenerator<Uint8Array> {
  const plain = createZstdDecompress();
  const reading = readArchive(plain, async ({ content }) => {
    for await (const _chunk of content);
  });
  reading.catch(() => {}); // told below
  plain.on("error", () => {}); // told by the reading
  try {
    for await (const chunk of archive) {
      if (!plain.write(chunk)) await Promise.race([once(plain, "drain"), reading]);
      yield chunk;
    }
    plain.end();
    tell(await reading);
  } catch (thrown) {
    throw faultOf(thrown);
  } finally {
    plain.destroy();
  }
}
