import { HypeError } from "../contract/index.ts";
/**
 * Writes `newc` archives, the form Linux unpacks as an initramfs (kernel: Documentation/driver-api/early-userspace/buffer-format.rst).
 * Deterministic: entries are sorted, inode numbers count up, owner is root, dates are what the caller says.
 */
export type CpioEntry =
  | { path: string; kind: "file"; data: Uint8Array; mode: number }
  | { path: string; kind: "directory"; mode: number }
  | { path: string; kind: "symlink"; target: string };

const TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;
const TRAILER = "TRAILER!!!";
/** Sizes stand in eight hexadecimal digits. */
const LARGEST_FILE_BYTES = 0xffff_ffff;

/**
 * Yields an archive piece by piece, so that large files are never copied.
 * @param entries in any order; parent directories must be among them, since the kernel makes none by itself.
 * @param mtimeSeconds date of every entry, seconds since 1970.
 * @throws HypeError image_build_failed for a file of 4 GB or more, or a path that is absolute or given twice.
 */
export function* cpio(entries: readonly CpioEntry[], mtimeSeconds: number): Generator<Uint8Array> {
  // By bytes, not by locale: a directory sorts before what is in it.
  const sorted = [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  let inode = 0;
  let previous = "";
  for (const entry of sorted) {
    if (entry.path.startsWith("/") || entry.path === previous || entry.path === "" || entry.path === TRAILER)
      throw new HypeError(
        "image_build_failed",
        `${JSON.stringify(entry.path)} cannot stand in an archive, or stands in it twice`,
      );
    previous = entry.path;
    const data = dataOf(entry);
    if (data.length > LARGEST_FILE_BYTES)
      throw new HypeError("image_build_failed", `${entry.path} is larger than an archive can hold`);
    const mode = TYPE_BITS[entry.kind] | (entry.kind === "symlink" ? 0o777 : entry.mode);
    inode += 1;
    yield header(entry.path, {
      inode,
      mode,
      links: entry.kind === "directory" ? 2 : 1,
      mtimeSeconds,
      bytes: data.length,
    });
    if (data.length > 0) yield data;
    yield padding(data.length);
  }
  yield header(TRAILER, { inode: 0, mode: 0, links: 1, mtimeSeconds: 0, bytes: 0 });
}

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.data;
  return entry.kind === "symlink" ? Buffer.from(entry.target) : new Uint8Array();
}

type Fields = { inode: number; mode: number; links: number; mtimeSeconds: number; bytes: number };

/** Magic, thirteen fields of eight digits, the name with its zero byte, filled up to four bytes. */
function header(path: string, { inode, mode, links, mtimeSeconds, bytes }: Fields): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const numbers = [inode, mode, 0, 0, links, mtimeSeconds, bytes, 0, 0, 0, 0, name.length, 0];
  const text = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}`;
  const head = Buffer.concat([Buffer.from(text), name]);
  return Buffer.concat([head, padding(head.length)]);
}

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);
