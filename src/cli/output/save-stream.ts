import { link, open, rename, rm, stat } from "node:fs/promises";
import { HypeError, messageOf } from "../../contract/errors.ts";

/**
 * Writes a file the user named, piece by piece, beside its place first: what breaks off leaves nothing, and what was there before
 * stays until all of the new one is.
 * @param mode of the file, less the umask
 * @throws HypeError usage (it is there already, or cannot be written) | disk_full, and whatever the pieces throw
 */
export async function saveStream(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  force: boolean,
  mode = 0o666,
): Promise<number> {
  if (!force) await mustBeNew(path);
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    const bytes = await write(part, path, pieces, mode);
    if (force) await rename(part, path);
    else await link(part, path); // refused where somebody made one meanwhile
    return bytes;
  } catch (thrown) {
    throw unwritable(path, thrown);
  } finally {
    await rm(part, { force: true });
  }
}

/** @throws HypeError usage */
export async function mustBeNew(path: string): Promise<void> {
  if (await stat(path).catch(() => null)) throw isThere(path);
}

async function write(part: string, path: string, pieces: AsyncIterable<Uint8Array>, mode: number): Promise<number> {
  await using file = await open(part, "wx", mode);
  let bytes = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const { bytesWritten } = await file.write(piece, at, piece.length - at).catch((thrown: unknown) => {
        throw unwritable(path, thrown);
      });
      at += bytesWritten;
    }
    bytes += piece.length;
  }
  return bytes;
}

const isThere = (path: string) =>
  new HypeError("usage", `${path} is there already`, { path, remedy: "Name another file with -o, or use --force." });

function unwritable(path: string, thrown: unknown): HypeError {
  if (thrown instanceof HypeError) return thrown;
  const { code } = thrown as { code?: string };
  if (code === "EEXIST") return isThere(path);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new HypeError("disk_full", `no space left while writing ${path}`, { path }, { cause: thrown });
  return new HypeError(
    "usage",
    `${path} cannot be written: ${messageOf(thrown)}`,
    { path, remedy: "Name a file in a directory you may write to." },
    { cause: thrown },
  );
}
