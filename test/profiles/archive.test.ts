import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { paths } from "../../src/config/paths.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { World } from "../engine/world.ts";
import { ARCHIVE_HEAD, archiveFile, archiveOf, inOddPieces, plainArchive } from "../lib/profile-archive.ts";
import { refused } from "../lib/refused.ts";

const profilesOf = (world: World) => new Profiles({ config: world.config, store: world.store, log: silentLog });
const filesOf = (world: World) => {
  try {
    return readdirSync(paths.profiles(world.config));
  } catch {
    return [];
  }
};
const exported = async (profiles: Profiles, name: string) =>
  Buffer.concat(await Array.fromAsync(profiles.exportArchive(name).bytes));
const COOKIES = archiveFile("Default/Cookies", "c".repeat(3_000_000));

test("an archive comes in and goes out as it was, also after the key was changed; its head says what is in it", async () => {
  await using world = new World();
  const profiles = profilesOf(world);
  const archive = await archiveOf(COOKIES, archiveFile("Default/IndexedDB/a.leveldb/CURRENT", "now"));
  const kept = await profiles.importArchive("alice", false, inOddPieces(archive));
  expect(kept).toMatchObject({
    ...{ name: "alice", kind: "whole", chromium: ARCHIVE_HEAD.chromium, cookies: 7, origins: 3 },
    size_bytes: archive.length,
  });
  await profiles.rotateKey();
  expect(await exported(profiles, "alice")).toEqual(archive);
  expect(profiles.exportArchive("alice").size_bytes).toBe(archive.length);
});

test("a head of before the counts were in it is taken", async () => {
  await using world = new World();
  const { cookies: _cookies, origins: _origins, ...before } = ARCHIVE_HEAD;
  const archive = zstdCompressSync(await plainArchive([], before));
  expect(await profilesOf(world).importArchive("old", false, inOddPieces(archive))).toMatchObject({
    cookies: 0,
    origins: 0,
  });
});

const good = () => archiveOf(archiveFile("Default/Cookies", "x".repeat(100_000)));
test.each<[string, () => Promise<Buffer>, "invalid_request" | "payload_too_large", RegExp]>([
  ["nothing", async () => Buffer.alloc(0), "invalid_request", /cut short/],
  ["no archive", async () => Buffer.from('{"cookies": []}'), "invalid_request", /damaged/],
  ["one that is not compressed", () => plainArchive([]), "invalid_request", /damaged/],
  ["another's archive", async () => zstdCompressSync(await plainArchive([], null)), "invalid_request", /empty/],
  [
    "one without its head",
    async () => zstdCompressSync(await plainArchive([archiveFile("Default/Cookies", "")], null)),
    "invalid_request",
    /does not begin with/,
  ],
  [
    "a head of another format",
    async () => zstdCompressSync(await plainArchive([], { format: 2 })),
    "invalid_request",
    /not understood/,
  ],
  ["a file of no site", () => archiveOf(archiveFile("Default/Preferences", "{}")), "invalid_request", /Preferences/],
  ["a file elsewhere", () => archiveOf(archiveFile("../../etc/x", "x")), "invalid_request", /etc/],
  ["one cut short", async () => (await good()).subarray(0, -20), "invalid_request", /cut short/],
  [
    "one with a flaw",
    async () => {
      const bytes = zstdDecompressSync(await good());
      bytes[1024 + 10]! ^= 1;
      return zstdCompressSync(bytes);
    },
    "invalid_request",
    /damaged/,
  ],
  [
    "something behind it",
    async () =>
      zstdCompressSync(
        Buffer.concat([Buffer.from(zstdDecompressSync(await good())), Buffer.alloc(3 * 1024 * 1024, 1)]),
      ),
    "invalid_request",
    /behind its end/,
  ],
  [
    "more than a browser takes",
    async () => {
      const claims = { path: "Default/Cookies", bytes: 2 * 1024 ** 3, content: zeros(2 * 1024 ** 3) };
      return claimed(claims);
    },
    "payload_too_large",
    /1073741824 bytes/,
  ],
])("refused, and nothing of it stays: %s", async (_what, archive, code, why) => {
  await using world = new World();
  const profiles = profilesOf(world);
  const before = await profiles.importArchive("alice", false, inOddPieces(await good()));
  const files = filesOf(world);
  const bytes = await archive();
  expect(await refused(code, profiles.importArchive("alice", true, inOddPieces(bytes)))).toMatch(why);
  await refused(code, profiles.importArchive("bob", false, inOddPieces(bytes)));
  expect(filesOf(world)).toEqual(files);
  expect(profiles.list()).toEqual([before]);
});

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(8 * 1024 * 1024);
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}
/** The beginning of an archive with a file that large: more is not looked at. */
async function claimed(file: { path: string; bytes: number; content: AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const { tar } = await import("../../src/profile-archive/tar.ts");
  const pieces: Uint8Array[] = [];
  for await (const piece of tar(
    (async function* () {
      yield archiveFile("hype-profile.json", JSON.stringify(ARCHIVE_HEAD));
      yield file;
    })(),
  )) {
    pieces.push(piece);
    if (pieces.length > 6) break;
  }
  return zstdCompressSync(Buffer.concat(pieces));
}

test("a caller that goes away leaves nothing; a name that is taken is refused before anything is read", async () => {
  await using world = new World();
  const profiles = profilesOf(world);
  const archive = await good();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, 500);
    throw new Error("the connection broke");
  }
  await expect(profiles.importArchive("alice", false, broken())).rejects.toThrow("the connection broke");
  expect([profiles.list(), filesOf(world)]).toEqual([[], []]);
  await profiles.importArchive("alice", false, inOddPieces(archive));
  let isRead = false;
  async function* unread(): AsyncGenerator<Uint8Array> {
    isRead = true;
    yield archive;
  }
  await refused("profile_name_taken", profiles.importArchive("alice", false, unread()));
  expect(isRead).toBe(false);
});

test("what is of the other kind says what to do", async () => {
  await using world = new World();
  const profiles = profilesOf(world);
  profiles.import("state", { state: { cookies: [], origins: [] }, replace: false });
  await profiles.importArchive("whole", false, inOddPieces(await good()));
  const asked = (work: () => unknown) => Promise.resolve().then(work);
  expect(
    await refused(
      "invalid_request",
      asked(() => profiles.exportArchive("state")),
    ),
  ).toContain("export its state");
  expect(
    await refused(
      "invalid_request",
      asked(() => profiles.export("whole")),
    ),
  ).toContain("export its archive");
  await refused(
    "profile_not_found",
    asked(() => profiles.exportArchive("nobody")),
  );
});
