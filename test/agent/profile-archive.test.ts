import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { keptFiles } from "../../agent/profile/kept-files.ts";
import { unpack } from "../../agent/profile/unpack.ts";
import { HEAD } from "../../src/profile-archive/read-archive.ts";
import type { TarFile } from "../../src/profile-archive/tar.ts";
import { archiveFile, inOddPieces, plainArchive } from "../lib/profile-archive.ts";
import { refused } from "../lib/refused.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

const archive = (...files: TarFile[]) => plainArchive(files);
const unpacked = (bytes: Buffer) => unpack(inOddPieces(bytes), directory.join("out"));

test("sites' files are in it, and nothing else; tar reads it", async () => {
  const long = `Default/IndexedDB/https_${"ö".repeat(60)}.test_0.indexeddb.leveldb`;
  for (const path of ["Default/Local Storage/leveldb", "Default/GPUCache", "Default/Cache", long])
    mkdirSync(directory.join("in", path), { recursive: true });
  const put = (path: string, text: string) => writeFileSync(directory.join("in", path), text);
  put("Default/Cookies", "c".repeat(1000));
  put("Default/Preferences", "{}");
  put("Default/Cache/data", "x");
  put("Default/Local Storage/leveldb/LOCK", "");
  put("Default/Local Storage/leveldb/000003.log", "");
  put(`${long}/CURRENT`, "now");
  symlinkSync("/etc/passwd", directory.join("in", "Default/Local Storage/leveldb/000004.log"));
  const them: TarFile[] = [];
  for await (const one of keptFiles(directory.join("in"))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of one.content) chunks.push(chunk);
    them.push(archiveFile(one.path, Buffer.concat(chunks).toString()));
  }
  const bytes = await archive(...them);
  const listed = Bun.spawnSync(["tar", "-t", "--quoting-style=literal"], {
    stdin: bytes,
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  const kept = ["Default/Cookies", `${long}/CURRENT`, "Default/Local Storage/leveldb/000003.log"];
  expect(listed.stdout.toString().trim().split("\n")).toEqual([HEAD, ...kept]);
  expect(await unpacked(bytes)).toMatchObject({ session_cookies: [{ name: "s" }] });
  expect(readFileSync(directory.join("out", `${long}/CURRENT`), "utf8")).toBe("now");
  expect(readFileSync(directory.join("out", "Default/Cookies"), "utf8")).toBe("c".repeat(1000));
});

describe("an archive that means harm is refused", () => {
  test.each([
    "/etc/passwd",
    "../escaped",
    "Default/IndexedDB/../../../escaped",
    "Default/IndexedDB/./x",
    "Default/IndexedDB//x",
    "Default/Preferences",
    "Default/Extensions/x",
    "Local State",
    `Default/IndexedDB/${"d/".repeat(40)}x`,
    `Default/IndexedDB/${"n".repeat(300)}`,
    "Default/IndexedDB/a\nb",
  ])("with the path %j", async (path) => {
    await refused("invalid_request", unpacked(await archive(archiveFile(path, "x"))));
    expect(existsSync(directory.join("escaped"))).toBe(false);
    expect(existsSync(directory.join("out")) ? readdirSync(directory.join("out")) : []).toEqual([]);
  });

  const changed = (bytes: Buffer, type: string) => {
    const other = Buffer.from(bytes);
    const at = 1024; // the header behind the first file
    other.write(type, at + 156);
    other.write("        ", at + 148);
    const sum = other.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    other.write(`${sum.toString(8).padStart(6, "0")}\0`, at + 148);
    return other;
  };
  test.each(["1", "2", "3", "4", "6", "g", "L"])("with an entry of type %s", async (type) => {
    await refused("invalid_request", unpacked(changed(await archive(archiveFile("Default/Cookies", "")), type)));
  });

  test("a path twice, a path below a file", async () => {
    const cookies = () => archiveFile("Default/Storage/a", "x");
    await refused("invalid_request", unpacked(await archive(cookies(), cookies())));
  });
  test("a file of more bytes than fit", async () => {
    const bytes = Buffer.from(await archive(archiveFile("Default/Cookies", "x")));
    bytes.write("77777777777\0", 1024 + 124);
    await refused("invalid_request", unpacked(bytes)); // its sum is wrong by now
    await refused("payload_too_large", unpacked(changed(bytes, "0")));
  });
  test("cut short anywhere, no archive, nothing", async () => {
    const bytes = await archive(archiveFile("Default/Cookies", "x".repeat(600)));
    for (const length of [0, 100, 512, 600, 1024, 1400, 1600, 2300])
      await refused("invalid_request", unpack(inOddPieces(bytes.subarray(0, length)), directory.join(`cut-${length}`)));
    await refused("invalid_request", unpacked(Buffer.alloc(2048, 7)));
    await refused("invalid_request", unpacked(Buffer.alloc(2048)));
  });
});
