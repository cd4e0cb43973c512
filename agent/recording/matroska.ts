/** Element ids of EBML and Matroska (RFC 8794, RFC 9559), as far as a video of one track needs them. */
const ID = {
  ebml: 0x1a45dfa3,
  ebmlVersion: 0x4286,
  ebmlReadVersion: 0x42f7,
  ebmlMaxIdLength: 0x42f2,
  ebmlMaxSizeLength: 0x42f3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  flagLacing: 0x9c,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  colour: 0x55b0,
  matrixCoefficients: 0x55b1,
  range: 0x55b9,
  transferCharacteristics: 0x55ba,
  primaries: 0x55bb,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
} as const;

/** Nanoseconds in a unit of time: milliseconds. */
const SCALE = 1_000_000;
const KEY_FRAME = 0x80;
const APP = "hype-agent";
export const CODECS = { webm: "V_VP8", mkv: "V_MJPEG" } as const;

export type Cue = { timeMs: number; clusterAt: number };

/** An element: id, length in eight bytes (so that it can be written over), content. */
export function element(id: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([idBytes(id), length(body.length), body]);
}

const idBytes = (id: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(id > 0xffffff ? 0 : id > 0xffff ? 1 : id > 0xff ? 2 : 3);
};
const length = (bytes: number): Buffer => {
  const coded = Buffer.alloc(8);
  coded.writeBigUInt64BE((1n << 56n) | BigInt(bytes));
  return coded;
};
const uint = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
};
const float = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return element(id, bytes);
};
const string = (id: number, value: string): Buffer => element(id, Buffer.from(value, "latin1"));

/**
 * Colours of a WebP image: sRGB by way of BT.601, limited range (WebP Lossy Bitstream, RFC 6386 section 9.2). Untold, players take a film of
 * this size for BT.709 and show other colours (seen in Chromium).
 */
const WEBP_COLOUR = element(
  ID.colour,
  uint(ID.matrixCoefficients, 6),
  uint(ID.range, 1),
  uint(ID.transferCharacteristics, 13),
  uint(ID.primaries, 1),
);

/** Head of the file up to where the segment's content begins; every length in it is fixed, so that it can be written anew at the end. */
export function fileHead(format: "webm" | "mkv", segmentBytes: number): Buffer {
  const ebml = element(
    ID.ebml,
    uint(ID.ebmlVersion, 1),
    uint(ID.ebmlReadVersion, 1),
    uint(ID.ebmlMaxIdLength, 4),
    uint(ID.ebmlMaxSizeLength, 8),
    string(ID.docType, format === "webm" ? "webm" : "matroska"),
    uint(ID.docTypeVersion, 4),
    uint(ID.docTypeReadVersion, 2),
  );
  return Buffer.concat([ebml, idBytes(ID.segment), length(segmentBytes)]);
}

/** What stands before the pictures. @param cuesAt offset of the cues in the segment */
export function segmentHead(
  format: "webm" | "mkv",
  size: { width: number; height: number },
  durationMs: number,
  cuesAt: number,
): Buffer {
  const seekCues = element(ID.seek, element(ID.seekId, idBytes(ID.cues)), uint(ID.seekPosition, cuesAt));
  const track = element(
    ID.trackEntry,
    uint(ID.trackNumber, 1),
    uint(ID.trackUid, 1),
    uint(ID.trackType, 1),
    uint(ID.flagLacing, 0),
    string(ID.codecId, CODECS[format]),
    element(
      ID.video,
      uint(ID.pixelWidth, size.width),
      uint(ID.pixelHeight, size.height),
      ...(format === "webm" ? [WEBP_COLOUR] : []),
    ),
  );
  return Buffer.concat([
    element(ID.seekHead, seekCues),
    element(
      ID.info,
      uint(ID.timestampScale, SCALE),
      float(ID.duration, durationMs),
      string(ID.muxingApp, APP),
      string(ID.writingApp, APP),
    ),
    element(ID.tracks, track),
  ]);
}

/** Opens a cluster; its blocks follow, and {@link clusterHead} with their length is written over it when it ends. */
export const clusterHead = (timeMs: number, blocksBytes: number): Buffer => {
  const timestamp = uint(ID.timestamp, timeMs);
  return Buffer.concat([idBytes(ID.cluster), length(timestamp.length + blocksBytes), timestamp]);
};

/** One picture, complete in itself. @param relativeMs since its cluster's time, at most 32767 */
export function block(relativeMs: number, picture: Uint8Array): Buffer {
  const head = Buffer.from([0x81, 0, 0, KEY_FRAME]);
  head.writeInt16BE(relativeMs, 1);
  return element(ID.simpleBlock, head, picture);
}

/** Where to begin to show a moment of the film. */
export const cues = (points: Cue[]): Buffer =>
  element(
    ID.cues,
    ...points.map(({ timeMs, clusterAt }) =>
      element(
        ID.cuePoint,
        uint(ID.cueTime, timeMs),
        element(ID.cueTrackPositions, uint(ID.cueTrack, 1), uint(ID.cueClusterPosition, clusterAt)),
      ),
    ),
  );

/**
 * The VP8 key frame in a lossy WebP image (WebP container specification, "Simple File Format (Lossy)"): the same bytes a WebM block has.
 * @throws Error for any other image
 */
export function vp8Of(webp: Buffer): Buffer {
  if (webp.toString("latin1", 8, 16) !== "WEBPVP8 ") throw new Error("the picture was not encoded as lossy WebP");
  return webp.subarray(20, 20 + webp.readUInt32LE(16));
}
