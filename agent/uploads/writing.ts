import { type FileHandle, open } from "node:fs/promises";
import { HypeError } from "../../src/contract/index.ts";

/** Gathered before they are written and hashed, bytes: network pieces are small, and each write has its price. */
const BLOCK_BYTES = 1024 * 1024;
/** So often it is worth to look how much room is left, bytes. */
const LOOK_EVERY_BYTES = 16 * 1024 * 1024;

/** A file while it is written, and what it adds up to. Memory stays flat: one block. */
export class Writing implements AsyncDisposable {
  #hash = new Bun.CryptoHasher("sha256");
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #looked = 0;
  bytes = 0;

  private constructor(private readonly file: FileHandle) {}

  /** @throws HypeError `guest_disk_full` */
  static async open(path: string): Promise<Writing> {
    return new Writing(await withRoom(() => open(path, "wx", 0o644)));
  }

  /** @returns true now and then: time to look how much room is left. @throws HypeError `guest_disk_full` */
  async push(chunk: Uint8Array): Promise<boolean> {
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, BLOCK_BYTES - this.#filled);
      this.#block.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === BLOCK_BYTES) await this.#flush();
    }
    if (this.bytes - this.#looked < LOOK_EVERY_BYTES) return false;
    this.#looked = this.bytes;
    return true;
  }

  /** @throws HypeError `guest_disk_full` */
  async end(): Promise<{ bytes: number; sha256: string }> {
    await this.#flush();
    return { bytes: this.bytes, sha256: this.#hash.digest("hex") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }

  async #flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    this.#filled = 0;
    this.#hash.update(block);
    for (let at = 0; at < block.length;)
      at += (await withRoom(() => this.file.write(block, at, block.length - at))).bytesWritten;
  }
}

async function withRoom<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code !== "ENOSPC" && code !== "EDQUOT") throw thrown;
    throw new HypeError("guest_disk_full", "no space is left in the guest", {}, { cause: thrown });
  }
}
