import type { Socket } from "node:net";
import { HypeError } from "../../src/contract/index.ts";

/** Takes the first words of a conversation off a socket, before the rest of it is only passed on. */
export class Reader {
  #bytes = Buffer.alloc(0);
  #ended = false;
  #look: () => void = () => {};

  constructor(private readonly socket: Socket) {
    socket.on("data", this.#take).on("end", this.#end).on("close", this.#end).resume(); // another one may have paused it
  }

  /** Bytes up to and with the mark. @throws HypeError `navigation_failed` when the peer hangs up or says too much; the signal's reason */
  async until(mark: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    let at = -1;
    await this.#while(() => {
      at = this.#bytes.indexOf(mark);
      if (at < 0 && this.#bytes.length > maxBytes) throw new HypeError("navigation_failed", "sends too long a header");
      return at < 0;
    }, signal);
    return this.#cut(at + mark.length);
  }

  /** @throws as {@link Reader.until} */
  async exactly(bytes: number, signal: AbortSignal): Promise<Buffer> {
    await this.#while(() => this.#bytes.length < bytes, signal);
    return this.#cut(bytes);
  }

  /** Lets go of the socket, paused. @returns what came already and was not asked for. */
  stop(): Buffer {
    this.socket.off("data", this.#take).off("end", this.#end).off("close", this.#end).pause();
    return this.#bytes;
  }

  #cut(bytes: number): Buffer {
    const cut = this.#bytes.subarray(0, bytes);
    this.#bytes = this.#bytes.subarray(bytes);
    return cut;
  }

  async #while(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (condition()) {
      if (this.#ended) throw new HypeError("navigation_failed", "hangs up");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => reject(signal.reason);
      this.#look = resolve;
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      await promise.finally(() => signal.removeEventListener("abort", onAbort));
    }
  }

  #take = (chunk: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#look();
  };
  #end = (): void => {
    this.#ended = true;
    this.#look();
  };
}
