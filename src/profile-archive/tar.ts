import { HypeError } from "../contract/index.ts";
import { bad } from "./bad.ts";
import { Blocks } from "./blocks.ts";

/** Unit of a tar archive, bytes (POSIX.1-2024, pax, "ustar Interchange Format"). */
const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** Longest path, bytes; what stands before it in a record is short. */
const MAX_PATH_BYTES = 4_096;

export type TarFile = { path: string; bytes: number; content: AsyncIterable<Uint8Array> };

/** An archive of files, as `tar` reads it: ustar, with a pax header before a path that is long. */
export async function* tar(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const { path, bytes, content } of files) {
    const name = Buffer.from(path);
    if (name.length > NAME_BYTES) {
      const record = paxRecord("path", path);
      yield header("pax", record.length, "x");
      yield padded(record);
    }
    yield header(path, bytes, "0");
    let sent = 0;
    for await (const chunk of content) {
      sent += chunk.length;
      yield chunk;
    }
    if (sent !== bytes) throw new HypeError("internal", `${path} had ${bytes} bytes and gave ${sent}`);
    yield Buffer.alloc(padding(bytes));
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/**
 * The files of an archive. Each content is to be read before the next file is asked for; what is left of it is passed over.
 * @throws HypeError `invalid_request` for anything but files and directories, and for what is no archive or is cut short
 */
export async function* untar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const blocks = new Blocks(source);
  for (let longPath: string | null = null; ;) {
    const head = await blocks.take(BLOCK_BYTES);
    if (head.every((byte) => byte === 0)) return await blocks.drain();
    const { path, bytes, type } = parseHeader(head);
    if (type === "x") {
      if (bytes > 2 * MAX_PATH_BYTES) throw bad("a header is too long");
      longPath = paxPath((await blocks.take(bytes + padding(bytes))).subarray(0, bytes));
      continue;
    }
    if (type !== "0" && type !== "5") throw bad(`it holds something that is neither file nor directory (${type})`);
    if (type === "0") {
      const content = blocks.stream(bytes);
      yield { path: longPath ?? path, bytes, content };
      for await (const _rest of content);
      await blocks.take(padding(bytes));
    } else if (bytes !== 0) throw bad("a directory has a content");
    longPath = null;
  }
}

const padding = (bytes: number): number => (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
const padded = (content: Buffer): Buffer => Buffer.concat([content, Buffer.alloc(padding(content.length))]);

function header(path: string, bytes: number, type: "0" | "x"): Buffer {
  const head = Buffer.alloc(BLOCK_BYTES);
  Buffer.from(path).copy(head, 0, 0, NAME_BYTES);
  const field = (at: number, length: number, value: number) =>
    head.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  field(100, 8, 0o600);
  field(108, 8, 0);
  field(116, 8, 0);
  field(124, 12, bytes);
  field(136, 12, 0);
  head.write("        ", 148, "latin1");
  head.write(type, 156, "latin1");
  head.write("ustar\x0000", 257, "latin1");
  field(148, 7, sum(head));
  return head;
}

function parseHeader(head: Buffer): { path: string; bytes: number; type: string } {
  const text = (at: number, length: number) => head.toString("utf8", at, at + length).split("\0", 1)[0]!;
  if (!text(257, 6).startsWith("ustar")) throw bad("it is no tar archive");
  const number = (at: number, length: number) => {
    const digits = text(at, length).trim();
    if (!/^[0-7]{1,11}$/.test(digits)) throw bad("a header is damaged");
    return Number.parseInt(digits, 8);
  };
  const blank = Buffer.from(head);
  blank.write("        ", 148, "latin1");
  if (number(148, 8) !== sum(blank)) throw bad("a header is damaged");
  const prefix = text(345, 155);
  const type = text(156, 1) || "0";
  return { path: (prefix ? `${prefix}/` : "") + text(0, NAME_BYTES), bytes: number(124, 12), type };
}

const sum = (block: Buffer): number => block.reduce((total, byte) => total + byte, 0);

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function paxPath(records: Buffer): string | null {
  const [length, path] = /^(\d+) path=([^\n]+)\n$/s.exec(records.toString("utf8"))?.slice(1) ?? [];
  if (path === undefined || Number(length) !== records.length) throw bad("a header is damaged");
  return path;
}
