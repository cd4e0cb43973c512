import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { sealingKey } from "../../src/profiles/envelope.ts";
import { sealing, unsealing } from "../../src/profiles/sealed-stream.ts";
import { refused } from "../lib/refused.ts";

const MB = 1024 * 1024;
const PIECE = MB + 16;
const HEADER = 48;
const key = sealingKey(randomBytes(32));
const PLACE = "profile.1";

/** In chunks that end where nothing of ours ends. */
async function* chunks(content: Buffer, bytes = 300_007): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}
async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of source) read.push(chunk);
  return Buffer.concat(read);
}
const seal = (content: Buffer) => all(sealing(chunks(content), key, PLACE));
const open = (sealed: Buffer, { by = key, place = PLACE } = {}) => all(unsealing(chunks(sealed), by, place, "alice"));

test.each([0, 1, MB - 1, MB, MB + 1, 3 * MB, 3 * MB + 5])("%d bytes come back as they were", async (bytes) => {
  const content = randomBytes(bytes);
  const sealed = await seal(content);
  expect(bytes > 100 && sealed.includes(content.subarray(0, 64))).toBe(false);
  expect((await open(sealed)).equals(content)).toBe(true);
});

describe("what was changed does not open", () => {
  const piece = (sealed: Buffer, n: number) => sealed.subarray(HEADER + n * PIECE, HEADER + (n + 1) * PIECE);
  const head = (sealed: Buffer) => sealed.subarray(0, HEADER);
  const flipped = (sealed: Buffer, at: number) => {
    const other = Buffer.from(sealed);
    other[at]! ^= 1;
    return other;
  };
  test.each<[string, (sealed: Buffer, other: Buffer) => Buffer]>([
    ["a byte of the first piece", (sealed) => flipped(sealed, HEADER + 5)],
    ["the last byte", (sealed) => flipped(sealed, sealed.length - 1)],
    ["the salt", (sealed) => flipped(sealed, 20)],
    ["cut within a piece", (sealed) => sealed.subarray(0, sealed.length - 9)],
    ["cut between pieces", (sealed) => sealed.subarray(0, HEADER + 2 * PIECE)],
    ["nothing but the header", head],
    ["cut within the header", (sealed) => sealed.subarray(0, 30)],
    ["empty", () => Buffer.alloc(0)],
    [
      "two pieces exchanged",
      (sealed) => Buffer.concat([head(sealed), piece(sealed, 1), piece(sealed, 0), piece(sealed, 2)]),
    ],
    ["a piece less", (sealed) => Buffer.concat([head(sealed), piece(sealed, 0), piece(sealed, 2)])],
    ["a piece twice", (sealed) => Buffer.concat([sealed, piece(sealed, 2)])],
    [
      "a piece of another sealing",
      (sealed, other) => Buffer.concat([head(sealed), piece(other, 0), sealed.subarray(HEADER + PIECE)]),
    ],
  ])("%s", async (_what, change) => {
    const content = Buffer.concat([randomBytes(2 * MB), Buffer.alloc(1000)]);
    const [sealed, other] = [await seal(content), await seal(content)];
    await refused("profile_unreadable", open(change(sealed, other)));
  });

  test("another key, another place", async () => {
    const sealed = await seal(randomBytes(10));
    await refused("profile_unreadable", open(sealed, { by: sealingKey(randomBytes(32)) }));
    await refused("profile_unreadable", open(sealed, { place: "profile.2" }));
  });
});
