import { randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensurePrivateDir, fileError, openRegular } from "../host/files.ts";

export type Source = Uint8Array | AsyncIterable<Uint8Array>;
/** A file that is written whole and on the disk, but under no hash yet. */
export type Received = { path: string; sha256: string; size_bytes: number };

const HASH = /^[0-9a-f]{64}$/;

/**
 * Files named by the SHA-256 of what is in them, for this user alone: `ab/abcdef…`. What is on its way lies in `partial/`. An empty file
 * in `marks/` names a hash whose file and row are being made or removed: whoever dies in between leaves the mark, and the next start
 * settles it. Files without a mark are never removed by themselves: a database may have been restored, or a disk not be mounted.
 */
export class ArtifactFiles {
  readonly #partial: string;
  readonly #marks: string;

  /** @throws HypeError state_unwritable | disk_full */
  constructor(readonly directory: string) {
    this.#partial = join(directory, "partial");
    this.#marks = join(directory, "marks");
    for (const path of [directory, this.#partial, this.#marks]) ensurePrivateDir(path);
  }

  /**
   * Writes what comes into a file of its own and hashes it on the way; memory stays flat. Nothing is left of what does not come whole.
   * @param take called before each piece is written; what it throws ends it.
   * @throws HypeError disk_full | state_unwritable, and whatever the source throws
   */
  async receive(source: Source, take: (bytes: number) => void | Promise<void>): Promise<Received> {
    const path = join(this.#partial, randomUUID());
    const hash = new Bun.CryptoHasher("sha256");
    let size_bytes = 0;
    try {
      const file = await open(path, "wx", 0o600);
      try {
        for await (const piece of source instanceof Uint8Array ? [source] : source) {
          await take(piece.length);
          hash.update(piece);
          await writeAll(file, piece);
          size_bytes += piece.length;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      return { path, sha256: hash.digest("hex"), size_bytes };
    } catch (thrown) {
      rmSync(path, { force: true });
      throw fileError(thrown, path);
    }
  }

  discard({ path }: Received): void {
    rmSync(path, { force: true });
  }

  /** Moves what was received to its place, unless the same bytes lie there. @throws HypeError disk_full | state_unwritable */
  place({ path, sha256, size_bytes }: Received): void {
    const target = this.pathOf(sha256);
    if (this.sizeOf(sha256) === size_bytes) return void rmSync(path, { force: true });
    try {
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      renameSync(path, target);
      syncDirectory(dirname(target));
    } catch (thrown) {
      throw fileError(thrown, target);
    }
  }

  remove(sha256: string): void {
    try {
      rmSync(this.pathOf(sha256), { force: true });
    } catch (thrown) {
      throw fileError(thrown, this.pathOf(sha256));
    }
  }

  /** @throws HypeError disk_full | state_unwritable */
  mark(sha256: string): void {
    try {
      // Not forced to the disk: a power cut that takes the mark leaves a file too many, and a death of this process leaves both.
      writeFileSync(join(this.#marks, sha256), "", { mode: 0o600 });
    } catch (thrown) {
      throw fileError(thrown, this.#marks);
    }
  }
  unmark(sha256: string): void {
    rmSync(join(this.#marks, sha256), { force: true });
  }

  /** What a server that died left half made: hashes it was at. What was on its way is removed. */
  left(): string[] {
    for (const name of readdirSync(this.#partial)) rmSync(join(this.#partial, name), { recursive: true, force: true });
    return readdirSync(this.#marks).filter((name) => HASH.test(name));
  }

  /** Opens a file for reading; the caller closes it. It can be read on while it is deleted. @returns null when it is not there */
  open(sha256: string): { file: number; size_bytes: number } | null {
    const file = openRegular(this.pathOf(sha256));
    return file === null ? null : { file, size_bytes: fstatSync(file).size };
  }

  close(file: number): void {
    closeSync(file);
  }

  /** @returns null when there is no such file */
  sizeOf(sha256: string): number | null {
    const found = lstatSync(this.pathOf(sha256), { throwIfNoEntry: false });
    return found?.isFile() ? found.size : null;
  }

  /** Hash of every file there is. */
  async *all(): AsyncGenerator<string> {
    for (const folder of await readdir(this.directory))
      if (/^[0-9a-f]{2}$/.test(folder))
        yield* (await readdir(join(this.directory, folder))).filter((name) => HASH.test(name));
  }

  pathOf(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), sha256);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** A name is on the disk only when its directory is (fsync(2)). */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
