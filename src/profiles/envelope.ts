import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { HypeError } from "../contract/index.ts";

/** AES-256-GCM (NIST SP 800-38D): a nonce of 96 random bits per sealing is good for 2^32 sealings with one key. */
const CIPHER = "aes-256-gcm";
export const MAGIC = Buffer.from("HYPEPRF", "latin1");
const FORMAT = 1;
/** Pieces, see sealed-stream.ts. */
const FORMATS: readonly number[] = [FORMAT, 2];
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + 1 + KEY_ID_BYTES + NONCE_BYTES;

/** A key and the name it is known by in what it sealed. */
export type SealingKey = { id: string; secret: Buffer };

export const sealingKey = (secret: Buffer): SealingKey => ({
  id: createHash("sha256")
    .update("hype profile key")
    .update(secret)
    .digest("hex")
    .slice(0, 2 * KEY_ID_BYTES),
  secret,
});

/**
 * Header (magic, format, id of the key, nonce), ciphertext, tag.
 * @param place what the content belongs to: sealed for one place, it opens in no other.
 */
export function seal(content: Uint8Array, key: SealingKey, place: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const header = Buffer.concat([MAGIC, Buffer.of(FORMAT), Buffer.from(key.id, "hex"), nonce]);
  const cipher = createCipheriv(CIPHER, key.secret, nonce);
  cipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
  return Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Id of the key that sealed it. @throws HypeError profile_unreadable when it is nothing we sealed. */
export function keyIdOf(sealed: Buffer, what: string): string {
  const isOurs = sealed.length >= HEADER_BYTES + TAG_BYTES && sealed.subarray(0, MAGIC.length).equals(MAGIC);
  if (!isOurs) throw unreadable(`${what} is damaged: it does not begin as a sealed profile does`);
  const format = sealed[MAGIC.length] ?? 0;
  if (!FORMATS.includes(format))
    throw unreadable(`${what} has format ${format}; this hype knows ${FORMATS.join(" and ")}`);
  return sealed.toString("hex", MAGIC.length + 1, MAGIC.length + 1 + KEY_ID_BYTES);
}

/**
 * What was sealed with that key for that place.
 * @param what names it in errors
 * @throws HypeError profile_unreadable when it was changed, cut, or sealed for another place.
 */
export function unseal(sealed: Buffer, key: SealingKey, place: string, what: string): Buffer {
  const header = sealed.subarray(0, HEADER_BYTES);
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key.secret, header.subarray(-NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
  decipher.setAuthTag(sealed.subarray(end));
  const content = decipher.update(sealed.subarray(HEADER_BYTES, end));
  try {
    return Buffer.concat([content, decipher.final()]);
  } catch {
    throw unreadable(`${what} is damaged, or another profile's file lies in its place`);
  }
}

export const unreadable = (message: string): HypeError => new HypeError("profile_unreadable", message);
