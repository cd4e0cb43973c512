import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { unsnappy } from "./snappy.ts";

/** LevelDB's formats: doc/log_format.md and doc/table_format.md of google/leveldb. */
const LOG_BLOCK_BYTES = 32_768;
const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5; // compression and checksum after each block
const SEQUENCE_BYTES = 8; // at the end of each key in a table
const MAX_FILE_BYTES = 128 * 1024 * 1024;

/** What was last said of a key counts: the one with the largest sequence. */
type Said = { key: Buffer; sequence: number; isPut: boolean };

/**
 * The keys a LevelDB directory holds, as Chromium has written them so far: it may be open meanwhile. Files that vanish or are
 * damaged are passed over: this finds what may be there, the browser says what is.
 * @param isWanted looks at the key as latin1 text
 */
export function levelDbKeys(directory: string, isWanted: (key: string) => boolean): string[] {
  const last = new Map<string, { sequence: number; isPut: boolean }>();
  for (const { key, sequence, isPut } of allSaid(directory)) {
    const text = key.toString("latin1");
    if (isWanted(text) && sequence >= (last.get(text)?.sequence ?? 0)) last.set(text, { sequence, isPut });
  }
  return [...last].filter(([, { isPut }]) => isPut).map(([key]) => key);
}

function* allSaid(directory: string): Generator<Said> {
  for (const name of namesIn(directory)) {
    const read = name.endsWith(".log") ? keysOfLog : /\.(ldb|sst)$/.test(name) ? keysOfTable : null;
    if (!read) continue;
    try {
      const path = join(directory, name);
      if (statSync(path).size <= MAX_FILE_BYTES) yield* read(readFileSync(path));
    } catch {
      // being written or removed by its owner
    }
  }
}

function* keysOfLog(file: Buffer): Generator<Said> {
  let parts: Buffer[] = [];
  for (let at = 0; at + 7 <= file.length;) {
    const left = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (left < 7) {
      at += left;
      continue;
    }
    const length = file.readUInt16LE(at + 4);
    const type = file.readUInt8(at + 6);
    if (type < 1 || type > 4) return; // preallocated, not written yet
    parts.push(file.subarray(at + 7, at + 7 + length));
    at += 7 + length;
    if (type === 1 || type === 4) {
      yield* keysOfBatch(Buffer.concat(parts));
      parts = [];
    }
  }
}

/** A write batch: the first sequence in 8 bytes, the count in 4, then puts (1) and deletions (0). */
function* keysOfBatch(batch: Buffer): Generator<Said> {
  const reader = new Reader(batch, 12);
  for (let sequence = Number(batch.readBigUInt64LE(0)); !reader.atEnd; sequence += 1) {
    const isPut = reader.byte() === 1;
    yield { key: reader.bytes(reader.varint()), sequence, isPut };
    if (isPut) reader.bytes(reader.varint());
  }
}

function* keysOfTable(file: Buffer): Generator<Said> {
  const footer = new Reader(file, file.length - FOOTER_BYTES);
  footer.varint(); // the index of metadata: offset and size
  footer.varint();
  for (const { value } of entriesOf(block(file, footer.varint(), footer.varint()))) {
    const handle = new Reader(value, 0);
    for (const { key } of entriesOf(block(file, handle.varint(), handle.varint()))) {
      const end = key.length - SEQUENCE_BYTES;
      const trailer = key.readBigUInt64LE(end); // sequence and, in the lowest byte, the type
      yield { key: key.subarray(0, end), sequence: Number(trailer >> 8n), isPut: (trailer & 0xffn) === 1n };
    }
  }
}

function block(file: Buffer, offset: number, size: number): Buffer {
  if (offset + size + TRAILER_BYTES > file.length) throw new RangeError("a block leaves the file");
  const bytes = file.subarray(offset, offset + size);
  return file.readUInt8(offset + size) === 1 ? unsnappy(bytes) : bytes;
}

/** Keys share the beginning of the one before; the restart points at the end are not needed to read on. */
function* entriesOf(bytes: Buffer): Generator<{ key: Buffer; value: Buffer }> {
  const end = bytes.length - 4 - 4 * bytes.readUInt32LE(bytes.length - 4);
  const reader = new Reader(bytes.subarray(0, end), 0);
  let key: Buffer = Buffer.alloc(0);
  while (!reader.atEnd) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueLength = reader.varint();
    key = Buffer.concat([key.subarray(0, shared), reader.bytes(own)]);
    yield { key, value: reader.bytes(valueLength) };
  }
}

class Reader {
  constructor(
    private readonly buffer: Buffer,
    private at: number,
  ) {}
  get atEnd(): boolean {
    return this.at >= this.buffer.length;
  }
  byte(): number {
    return this.buffer.readUInt8(this.at++);
  }
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  bytes(length: number): Buffer {
    const end = this.at + length;
    if (end > this.buffer.length) throw new RangeError("the data ends early");
    const bytes = this.buffer.subarray(this.at, end);
    this.at = end;
    return bytes;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
