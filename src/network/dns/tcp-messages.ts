/** DNS over TCP: each message after its length in two bytes (RFC 1035 section 4.2.2). */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Takes a stream apart into its messages, holding at most one unfinished. */
export class MessageStream {
  #held: Buffer = Buffer.alloc(0);
  constructor(private readonly maxBytes: number) {}

  /** @returns null when a message is longer than allowed: the stream is of no use any more. */
  push(bytes: Buffer): Buffer[] | null {
    this.#held = Buffer.concat([this.#held, bytes]);
    const messages: Buffer[] = [];
    while (this.#held.length >= 2) {
      const length = this.#held.readUInt16BE(0);
      if (length > this.maxBytes) return null;
      if (this.#held.length < 2 + length) break;
      messages.push(this.#held.subarray(2, 2 + length));
      this.#held = this.#held.subarray(2 + length);
    }
    return messages;
  }
}
