import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { HypeError, MAX_WHOLE_PROFILE } from "../contract/index.ts";
import { keyIdOf, MAGIC, type SealingKey, unreadable } from "./envelope.ts";

/**
 * Content too large to be held: pieces of one size, each sealed with AES-256-GCM under a key of the file's own (HKDF, RFC 5869)
 * and a nonce that says which piece it is and whether it is the last. Exchanged, missing and further pieces do not open
 * (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", STREAM).
 */
const CIPHER = "aes-256-gcm";
const STREAM_FORMAT = 2;
const PIECE_BYTES = 1024 * 1024;
const SALT_BYTES = 32;
const TAG_BYTES = 16;

/** Header (magic, format, id of the key, salt), then pieces, each with its tag. */
export async function* sealing(
  content: AsyncIterable<Uint8Array>,
  key: SealingKey,
  place: string,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const header = Buffer.concat([MAGIC, Buffer.of(STREAM_FORMAT), Buffer.from(key.id, "hex"), salt]);
  yield header;
  const seal = sealer(header, key, place);
  let number = 0;
  let held: Buffer | null = null; // a piece is the last one only when nothing follows
  for await (const piece of inPieces(content, PIECE_BYTES)) {
    if (held) yield seal(held, number++, false);
    held = piece;
  }
  yield seal(held ?? Buffer.alloc(0), number, true);
}

/**
 * What was sealed with that key for that place. Nothing is given that was not found whole, but its end is known last: a reader
 * that stops early knows less.
 * @param what names it in errors
 * @throws HypeError profile_unreadable when it was changed, cut, or sealed for another place
 */
export async function* unsealing(
  sealed: AsyncIterable<Uint8Array>,
  key: SealingKey,
  place: string,
  what: string,
): AsyncGenerator<Buffer> {
  const headerBytes = MAGIC.length + 1 + key.id.length / 2 + SALT_BYTES;
  let open: ((piece: Buffer, number: number, isLast: boolean) => Buffer) | null = null;
  let number = 0;
  let held: Buffer | null = null;
  const opened = (piece: Buffer, isLast: boolean) => {
    try {
      return open!(piece, number++, isLast);
    } catch {
      throw unreadable(`${what} is damaged, or another profile's file lies in its place`);
    }
  };
  for await (const piece of inPieces(sealed, PIECE_BYTES + TAG_BYTES, headerBytes)) {
    if (!open) {
      keyIdOf(piece, what);
      open = opener(piece, key, place);
      continue;
    }
    if (held) yield opened(held, false);
    held = piece;
  }
  if (!open || !held) throw unreadable(`${what} is cut short`);
  yield opened(held, true);
}

/** What passes through is counted, and bounded: a guest sends it. @throws HypeError payload_too_large */
export async function* counted(
  content: AsyncIterable<Uint8Array>,
  count: { bytes: number },
): AsyncGenerator<Uint8Array> {
  const limit = MAX_WHOLE_PROFILE.archiveBytes;
  for await (const chunk of content) {
    count.bytes += chunk.length;
    if (count.bytes > limit)
      throw new HypeError("payload_too_large", `a profile holds at most ${limit} bytes`, { limit_bytes: limit });
    yield chunk;
  }
}

function sealer(header: Buffer, key: SealingKey, place: string) {
  const own = keyOf(header, key, place);
  return (piece: Buffer, number: number, isLast: boolean): Buffer => {
    const cipher = createCipheriv(CIPHER, own, nonceOf(number, isLast));
    return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  };
}

function opener(header: Buffer, key: SealingKey, place: string) {
  const own = keyOf(header, key, place);
  return (piece: Buffer, number: number, isLast: boolean): Buffer => {
    const end = piece.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, own, nonceOf(number, isLast), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(piece.subarray(end));
    const content = decipher.update(piece.subarray(0, end));
    return Buffer.concat([content, decipher.final()]);
  };
}

/** Bound to all of the header and to the place: with another of either nothing opens. */
const keyOf = (header: Buffer, { secret }: SealingKey, place: string): Buffer =>
  Buffer.from(
    hkdfSync("sha256", secret, header.subarray(-SALT_BYTES), Buffer.concat([header, Buffer.from(place)]), 32),
  );

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Pieces of one length; the first may have another, the last is shorter if need be. */
async function* inPieces(source: AsyncIterable<Uint8Array>, bytes: number, firstBytes = bytes): AsyncGenerator<Buffer> {
  let want = firstBytes;
  let gathered: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source)
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + want - length);
      at += part.length;
      length += part.length;
      gathered.push(part);
      if (length < want) continue;
      yield Buffer.concat(gathered);
      [gathered, length, want] = [[], 0, bytes];
    }
  if (length > 0) yield Buffer.concat(gathered);
}
