/** Longer messages are let by unread: the one that is looked for has a path and an id in it, no more. */
const MAX_READ_BYTES = 16_384;
const MAX_HEADER_BYTES = 14;
/** A whole text message in one frame (RFC 6455, section 5.2). */
const WHOLE_TEXT = 0x81;
const SETS = Buffer.from("setDownloadBehavior");

/**
 * Follows a client's half of a WebSocket connection, and tells of the contexts it sets a download behaviour for: "" for the browser's
 * own. What comes in several frames is not understood, nor what is longer than such a message is.
 */
export class BehaviourReader {
  #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #payloadLeft = 0;
  #kept: Buffer | null = null;
  #keptBytes = 0;
  #mask: Buffer | null = null;

  constructor(private readonly onSet: (context: string) => void) {}

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        if (this.#kept) this.#keptBytes += chunk.copy(this.#kept, this.#keptBytes, at, at + taken);
        this.#payloadLeft -= taken;
        at += taken;
        if (this.#payloadLeft === 0) this.#ended();
      } else {
        this.#header[this.#headerBytes++] = chunk[at++]!;
        this.#readHeader();
      }
    }
  }

  #readHeader(): void {
    if (this.#headerBytes < 2) return;
    const short = this.#header[1]! & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const isMasked = (this.#header[1]! & 0x80) !== 0;
    const maskAt = 2 + lengthBytes;
    if (this.#headerBytes < maskAt + (isMasked ? 4 : 0)) return;
    const length =
      lengthBytes === 8
        ? Number(this.#header.readBigUInt64BE(2))
        : lengthBytes === 2
          ? this.#header.readUInt16BE(2)
          : short;
    const isRead = this.#header[0] === WHOLE_TEXT && length > SETS.length && length <= MAX_READ_BYTES;
    this.#kept = isRead ? Buffer.allocUnsafe(length) : null;
    this.#keptBytes = 0;
    this.#mask = isMasked ? Buffer.from(this.#header.subarray(maskAt, maskAt + 4)) : null;
    this.#payloadLeft = length;
    this.#headerBytes = 0;
  }

  #ended(): void {
    const text = this.#kept;
    this.#kept = null;
    if (!text) return;
    const mask = this.#mask;
    if (mask) for (let i = 0; i < text.length; i++) text[i]! ^= mask[i & 3]!;
    if (!text.includes(SETS)) return;
    try {
      const { method, params } = JSON.parse(text.toString());
      if (method === "Page.setDownloadBehavior") this.onSet("");
      if (method === "Browser.setDownloadBehavior")
        this.onSet(typeof params?.browserContextId === "string" ? params.browserContextId : "");
    } catch {} // no message of DevTools: Chromium says so
  }
}

/** Which DevTools client set a download behaviour for which context; Chromium forgets it, and ours below it, when that client leaves. */
export class DownloadClaims {
  #ofClient = new Map<object, Set<string>>();

  /** @param claim makes a context ours again; none: the browser's own */
  constructor(private readonly claim: (context?: string) => void) {}

  joined(client: object): BehaviourReader {
    const contexts = new Set<string>();
    this.#ofClient.set(client, contexts);
    return new BehaviourReader((context) => contexts.add(context));
  }

  /** Call it when Chromium has seen the client go. The last one may have done what was not understood. */
  left(client: object): void {
    const contexts = this.#ofClient.get(client) ?? new Set();
    this.#ofClient.delete(client);
    if (this.#ofClient.size === 0) contexts.add("");
    for (const context of contexts) if (!this.isSet(context)) this.claim(context || undefined);
  }

  isSet(context: string): boolean {
    return [...this.#ofClient.values()].some((contexts) => contexts.has(context));
  }
}
