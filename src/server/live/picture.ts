import type { LiveFrame } from "../../contract/index.ts";
import { MAX_LIVE_MESSAGE_BYTES, readLiveFrame } from "../../guest/live.ts";

/** Most pixels a picture may unpack to: the largest viewport at twice its density. */
const PIXELS = 8192 * 8192;

/**
 * A picture of the guest's, made safe for the page: its head holds what is known and nothing else, the image is one by its first bytes
 * and unpacks to no more than a browser bears. The guest is hostile, and what it sends is shown on our origin.
 * @returns null when it is no picture.
 */
export function checkedPicture(message: Buffer): Buffer | null {
  if (message.length > MAX_LIVE_MESSAGE_BYTES) return null;
  let head: LiveFrame;
  let image: Buffer;
  try {
    const read = readLiveFrame(message);
    head = read.head;
    image = Buffer.from(read.image.buffer, read.image.byteOffset, read.image.length);
  } catch {
    return null;
  }
  const isHeadSound = head.tab.length <= 64 && [head.width, head.height].every((side) => side >= 1 && side <= 100_000);
  const size = head.format === "png" ? pngSize(image) : jpegSize(image);
  if (!isHeadSound || !size || size.width < 1 || size.height < 1 || size.width * size.height > PIXELS) return null;
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, image]);
}

type Size = { width: number; height: number };

/** PNG (W3C, third edition), sections 5.2 and 11.2.1: signature, then IHDR. */
function pngSize(image: Buffer): Size | null {
  if (image.length < 24 || image.toString("latin1", 0, 8) !== "\x89PNG\r\n\x1a\n") return null;
  return { width: image.readUInt32BE(16), height: image.readUInt32BE(20) };
}

/** JPEG (ITU-T T.81), annex B: segments up to the frame header, whose markers are C0 to CF without C4, C8 and CC. */
function jpegSize(image: Buffer): Size | null {
  if (image.length < 4 || image.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= image.length;) {
    if (image[at] !== 0xff) return null;
    const marker = image[at + 1] as number;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { height: image.readUInt16BE(at + 5), width: image.readUInt16BE(at + 7) };
    at += 2 + image.readUInt16BE(at + 2);
  }
  return null;
}
