/** Largest block taken, bytes: Chromium's are some kilobytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Uncompresses one Snappy block (format_description.txt of google/snappy): a length, then literals and copies of what came before.
 * @throws RangeError when it is not one.
 */
export function unsnappy(input: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input.readUInt8(at++);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > MAX_BYTES) throw new RangeError(`a block of ${length} bytes`);
  const output = Buffer.alloc(length);
  let written = 0;
  while (at < input.length) {
    const tag = input.readUInt8(at++);
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59); // bytes that hold the length
      const size = (extra === 0 ? tag >> 2 : input.readUIntLE(at, extra)) + 1;
      at += extra;
      if (at + size > input.length || written + size > length) throw new RangeError("a literal leaves the block");
      input.copy(output, written, at, at + size);
      at += size;
      written += size;
      continue;
    }
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const bytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    const offset = input.readUIntLE(at, bytes) + (kind === 1 ? (tag >> 5) * 256 : 0);
    at += bytes;
    if (offset === 0 || offset > written || written + size > length) throw new RangeError("a copy leaves the block");
    for (let n = 0; n < size; n += 1, written += 1) output[written] = output[written - offset]!; // it may overlap itself
  }
  if (written !== length) throw new RangeError("the block is short");
  return output;
}
