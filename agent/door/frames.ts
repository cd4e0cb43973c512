/** Opcode of a close frame, and the size of its header when the payload is short and unmasked (RFC 6455, sections 5.2, 5.5). */
const CLOSE = 0x8;
const MAX_HEADER_BYTES = 14;

/**
 * Follows a server's half of a WebSocket connection by its frame headers alone, so that a frame of our own can be put between
 * two of its frames and never inside one. Begins with the HTTP reply that opens the connection.
 */
export class FrameTracker {
  #http = Buffer.alloc(0);
  #open = false;
  #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #payloadLeft = 0;
  #closing = false;

  /** True while nothing is half sent and no close frame was seen. */
  get mayInsert(): boolean {
    return this.#open && !this.#closing && this.#headerBytes === 0 && this.#payloadLeft === 0;
  }

  push(chunk: Uint8Array): void {
    let at = this.#open ? 0 : this.#skipHttp(chunk);
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= skipped;
        at += skipped;
      } else {
        this.#header[this.#headerBytes++] = chunk[at++]!;
        this.#readHeader();
      }
    }
  }

  /** @returns where the frames begin in this chunk. */
  #skipHttp(chunk: Uint8Array): number {
    const before = this.#http.length;
    this.#http = Buffer.concat([this.#http, chunk]);
    const end = this.#http.indexOf("\r\n\r\n");
    if (end === -1) return chunk.length;
    this.#open = this.#http.toString("latin1", 0, 12) === "HTTP/1.1 101";
    this.#http = Buffer.alloc(0);
    return this.#open ? end + 4 - before : chunk.length;
  }

  #readHeader(): void {
    if (this.#headerBytes < 2) return;
    const short = this.#header[1]! & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskBytes = this.#header[1]! & 0x80 ? 4 : 0;
    if (this.#headerBytes < 2 + lengthBytes + maskBytes) return;
    this.#payloadLeft =
      lengthBytes === 8
        ? Number(this.#header.readBigUInt64BE(2))
        : lengthBytes === 2
          ? this.#header.readUInt16BE(2)
          : short;
    this.#closing ||= (this.#header[0]! & 0x0f) === CLOSE;
    this.#headerBytes = 0;
  }
}

/** An unmasked close frame, as a server sends it. The reason is cut to the 123 bytes a control frame has room for. */
export function closeFrame(code: number, reason: string): Buffer {
  const text = new Uint8Array(123);
  const { written } = new TextEncoder().encodeInto(reason, text); // whole characters only
  const frame = Buffer.alloc(4 + written);
  frame[0] = 0x80 | CLOSE;
  frame[1] = 2 + written;
  frame.writeUInt16BE(code, 2);
  frame.set(text.subarray(0, written), 4);
  return frame;
}
