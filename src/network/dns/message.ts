/** What a forwarder has to know of a DNS message (RFC 1035 section 4; RFC 6891 for OPT). Everything read here was written by a stranger. */

export const HEADER_BYTES = 12;
/** Answer over UDP when the asker did not say that it takes more. */
const PLAIN_UDP_BYTES = 512;
const [QUERY_RESPONSE, TRUNCATED, RECURSION_DESIRED, RECURSION_AVAILABLE] = [0x8000, 0x0200, 0x0100, 0x0080];
const OPCODE = 0x7800;
const TYPE_OPT = 41;
export const SERVFAIL = 2;

export type Question = {
  id: number;
  flags: number;
  /** Name, type and class as they stand in the message. */
  question: Buffer;
  /** Longest answer over UDP that the asker takes, bytes. */
  udpBytes: number;
};

/** Position behind the one question; null when there is none that is well-formed. Names of questions are never compressed. */
function questionEnd(message: Buffer): number | null {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return null;
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += length + 1;
    if (length === 0) break;
    if (at - HEADER_BYTES > 254) return null;
  }
  return at + 4 <= message.length ? at + 4 : null;
}

/** @returns null for what is no ordinary question: those get no answer at all. */
export function parseQuestion(message: Buffer): Question | null {
  const end = questionEnd(message);
  if (end === null) return null;
  const flags = message.readUInt16BE(2);
  if ((flags & QUERY_RESPONSE) !== 0 || (flags & OPCODE) !== 0 || message.readUInt16BE(6) !== 0) return null;
  return {
    id: message.readUInt16BE(0),
    flags,
    question: message.subarray(HEADER_BYTES, end),
    udpBytes: udpBytes(message, end),
  };
}

/** The OPT record of a question stands right behind it, under the root's name, its class the size of answers. */
function udpBytes(message: Buffer, end: number): number {
  const hasOpt = message.length >= end + 11 && message[end] === 0 && message.readUInt16BE(end + 1) === TYPE_OPT;
  return hasOpt ? Math.max(PLAIN_UDP_BYTES, message.readUInt16BE(end + 3)) : PLAIN_UDP_BYTES;
}

/** True when the message answers exactly this question under this id; names may come back in another case (RFC 4343). */
export function answers(message: Buffer, id: number, question: Buffer): boolean {
  const end = questionEnd(message);
  if (end === null || message.readUInt16BE(0) !== id || (message.readUInt16BE(2) & QUERY_RESPONSE) === 0) return false;
  return folded(message.subarray(HEADER_BYTES, end)).equals(folded(question));
}

const folded = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte)));

export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Header and question only, with a code; `truncated` asks the guest to come again over TCP. */
export function emptyAnswer(
  asked: Question,
  { code = 0, truncated = false }: { code?: number; truncated?: boolean },
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(asked.id, 0);
  const flags =
    QUERY_RESPONSE | (asked.flags & RECURSION_DESIRED) | RECURSION_AVAILABLE | (truncated ? TRUNCATED : 0) | code;
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, asked.question]);
}
