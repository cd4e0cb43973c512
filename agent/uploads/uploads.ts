import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { HypeError, type Upload, type WriteUpload } from "../../src/contract/index.ts";
import { Writing } from "./writing.ts";

/** Beyond so many a caller forgets to delete. */
const MAX_KEPT = 2_000;
/** Left free for Chromium, whose profile lies on the same file system, bytes. */
const RESERVE_BYTES = 32 * 1024 * 1024;

/**
 * Files that callers put into the guest for pages to take. They lie in a directory of the agent's own that the browser's user may
 * read, not write. Files without an entry here belong to an agent that is gone.
 */
export class Uploads {
  #kept = new Map<string, Upload>();
  #writing = 0;
  readonly #files: string;
  readonly #parts: string;

  constructor(directory: string) {
    this.#files = join(directory, "files");
    this.#parts = join(directory, "parts");
    for (const place of [this.#files, this.#parts]) {
      mkdirSync(place, { recursive: true, mode: 0o755 });
      for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true, force: true });
    }
  }

  list(): Upload[] {
    return [...this.#kept.values()];
  }

  /**
   * Takes bytes as they come. The file is there once all of them are, under its name, in the place of one that was; what does
   * not get so far leaves nothing.
   * @throws HypeError `guest_disk_full` | `upload_mismatch` | `limit_reached`, and whatever the bytes throw
   */
  async write({ name, bytes, sha256 }: WriteUpload, body: AsyncIterable<Uint8Array>): Promise<Upload> {
    if (!this.#kept.has(name) && this.#kept.size + this.#writing >= MAX_KEPT)
      throw new HypeError("limit_reached", `${MAX_KEPT} uploads are kept; delete some`);
    this.#writing += 1;
    const part = join(this.#parts, crypto.randomUUID());
    try {
      await this.#mustHaveRoom(bytes ?? 0);
      const written = await this.#take(part, body, bytes);
      if (bytes !== undefined && written.bytes !== bytes)
        throw new HypeError("upload_mismatch", `${bytes} bytes were announced, ${written.bytes} came`);
      if (sha256 !== undefined && written.sha256 !== sha256)
        throw new HypeError("upload_mismatch", `the bytes have the SHA-256 ${written.sha256}, not ${sha256}`);
      await rename(part, join(this.#files, name));
      const upload = { name, ...written, uploaded_at: Date.now() };
      this.#kept.delete(name); // the newest stands last
      this.#kept.set(name, upload);
      return upload;
    } finally {
      this.#writing -= 1;
      await rm(part, { force: true });
    }
  }

  /** @throws HypeError `upload_not_found` */
  async delete(name: string): Promise<void> {
    const path = this.path(name);
    this.#kept.delete(name);
    await rm(path, { force: true });
  }

  /** Where Chromium finds it. @throws HypeError `upload_not_found` */
  path(name: string): string {
    if (!this.#kept.has(name)) throw new HypeError("upload_not_found", `there is no upload ${JSON.stringify(name)}`);
    return join(this.#files, name);
  }

  async #take(part: string, body: AsyncIterable<Uint8Array>, limit = Number.MAX_SAFE_INTEGER) {
    await using writing = await Writing.open(part);
    for await (const chunk of body) {
      if (writing.bytes + chunk.length > limit)
        throw new HypeError("upload_mismatch", `${limit} bytes were announced, more came`);
      if (await writing.push(chunk)) await this.#mustHaveRoom(0);
    }
    return writing.end();
  }

  /** @throws HypeError `guest_disk_full` */
  async #mustHaveRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#parts);
    const free = Math.max(0, bavail * bsize - RESERVE_BYTES);
    if (free < bytes || free === 0)
      throw new HypeError(
        "guest_disk_full",
        `the guest has room for ${free} bytes more${bytes > 0 ? `, the file has ${bytes}` : ""}`,
      );
  }
}
