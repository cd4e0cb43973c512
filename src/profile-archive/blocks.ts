import { bad } from "./bad.ts";

/** Records of 20 blocks are usual (tar(1)). */
const MAX_BEHIND_BYTES = 1024 * 1024;

/** A stream of bytes that is read in pieces of wanted length; it holds one chunk. */
export class Blocks {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @throws HypeError `invalid_request` when it ends before */
  async take(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.stream(bytes)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** So many bytes, as they come. @throws HypeError `invalid_request` when it ends before */
  async *stream(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0;) {
      if (this.#chunk.length === 0 && !(await this.#next())) throw bad("it is cut short");
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Reads what stands behind the end: some zeros. @throws HypeError `invalid_request` when there is much of it */
  async drain(): Promise<void> {
    for (let bytes = this.#chunk.length; await this.#next(); bytes += this.#chunk.length)
      if (bytes > MAX_BEHIND_BYTES) throw bad("something stands behind its end");
  }

  async #next(): Promise<boolean> {
    const { value, done } = await this.#source.next();
    if (done) return false;
    this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return true;
  }
}
