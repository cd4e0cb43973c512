import { zstdCompressSync } from "node:zlib";
import { HEAD } from "../../src/profile-archive/read-archive.ts";
import { tar, type TarFile } from "../../src/profile-archive/tar.ts";

export const ARCHIVE_HEAD = {
  format: 1,
  chromium: "HeadlessChrome/156.0.1.2",
  cookies: 7,
  origins: 3,
  session_cookies: [{ name: "s" }],
};

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
export const archiveFile = (path: string, text: string): TarFile => ({
  path,
  bytes: Buffer.byteLength(text),
  content: once(text),
});

/** A tar archive of a whole profile. @param head null: none */
export async function plainArchive(files: TarFile[], head: object | null = ARCHIVE_HEAD): Promise<Buffer<ArrayBuffer>> {
  async function* all(): AsyncGenerator<TarFile> {
    if (head) yield archiveFile(HEAD, JSON.stringify(head));
    yield* files;
  }
  return Buffer.concat(await Array.fromAsync(tar(all())));
}

export const archiveOf = async (...files: TarFile[]): Promise<Buffer<ArrayBuffer>> =>
  Buffer.from(zstdCompressSync(await plainArchive(files)));

/** In pieces of odd length. */
export async function* inOddPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 333) yield bytes.subarray(at, at + 333);
}
