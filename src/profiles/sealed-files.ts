import { closeSync, createReadStream, fsyncSync, openSync, readdirSync, readFileSync, readSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../contract/index.ts";
import { ensurePrivateDir, fileError, writeAtomic } from "../host/files.ts";
import type { StoredProfile } from "../store/profiles.ts";
import { unreadable } from "./envelope.ts";

type Place = Pick<StoredProfile, "id" | "revision">;

type Named = Pick<StoredProfile, "id" | "revision" | "name">;

/** Longer than a header. */
const HEAD_BYTES = 64;
const READ_BYTES = 1024 * 1024;

/** What a file's content is bound to, and its name without the ending. */
export const placeOf = ({ id, revision }: Place): string => `${id}.${revision}`;
const nameOf = (profile: Place): string => `${placeOf(profile)}.sealed`;

/** The directory of sealed profiles: a file per profile and revision, whole or not there. */
export class SealedFiles {
  constructor(readonly directory: string) {}

  pathOf(profile: Place): string {
    return join(this.directory, nameOf(profile));
  }

  /** @throws HypeError disk_full | state_unwritable */
  write(profile: Place, sealed: Buffer): void {
    ensurePrivateDir(this.directory);
    writeAtomic(this.pathOf(profile), sealed, 0o600);
    syncDirectoryOf(this.pathOf(profile));
  }

  /** Writes as it comes: whole or not there. @throws HypeError disk_full | state_unwritable, and whatever the content throws */
  async writeStream(profile: Place, sealed: AsyncIterable<Uint8Array>): Promise<void> {
    ensurePrivateDir(this.directory);
    const path = this.pathOf(profile);
    const temporary = join(this.directory, `.${crypto.randomUUID()}.tmp`);
    try {
      await using file = await open(temporary, "wx", 0o600);
      for await (const chunk of sealed)
        for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
      await file.sync();
      await rename(temporary, path);
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw fileError(thrown, path);
    }
    syncDirectoryOf(path);
  }

  /** Its bytes, read as they are wanted; the file is opened at once. @throws HypeError profile_unreadable, at once */
  readStream(profile: Named): AsyncIterable<Uint8Array> {
    return this.#reading(profile, (path) =>
      createReadStream("", { fd: openSync(path, "r"), highWaterMark: READ_BYTES }),
    );
  }

  /** @throws HypeError profile_unreadable */
  read(profile: Named): Buffer {
    return this.#reading(profile, (path) => readFileSync(path));
  }

  /** Its first bytes, which say what sealed it. @throws HypeError profile_unreadable */
  readHead(profile: Named): Buffer {
    return this.#reading(profile, (path) => {
      const file = openSync(path, "r");
      try {
        const head = Buffer.alloc(HEAD_BYTES);
        return head.subarray(0, readSync(file, head));
      } finally {
        closeSync(file);
      }
    });
  }

  #reading<T>(profile: Named, read: (path: string) => T): T {
    const path = this.pathOf(profile);
    try {
      return read(path);
    } catch (thrown) {
      const isGone = (thrown as { code?: string }).code === "ENOENT";
      throw unreadable(
        isGone
          ? `the file of profile ${profile.name} is missing: ${path}`
          : `the file of profile ${profile.name} cannot be read: ${messageOf(thrown)}`,
      );
    }
  }

  remove(profile: Place): void {
    rmSync(this.pathOf(profile), { force: true });
  }

  /** Removes what no row stands for: a server died between a file and its row. @returns how many. */
  removeStrays(kept: readonly Place[]): number {
    const known = new Set(kept.map(nameOf));
    const strays = this.#names().filter((name) => !known.has(name) && /\.(sealed|tmp)$/.test(name));
    for (const name of strays) rmSync(join(this.directory, name), { force: true });
    return strays.length;
  }

  #names(): string[] {
    try {
      return readdirSync(this.directory);
    } catch (thrown) {
      if ((thrown as { code?: string }).code === "ENOENT") return [];
      throw thrown;
    }
  }
}

/** A rename is on disk once its directory is (fsync(2)). */
export function syncDirectoryOf(path: string): void {
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
