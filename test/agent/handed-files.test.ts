import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HandedFiles } from "../../agent/live/handed-files.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const directory = temporaryDirectory();
afterEach(() => directory[Symbol.dispose]());

const [FIRST, SECOND] = ["0190b5a0-0000-4000-8000-000000000001", "0190b5a0-0000-4000-8000-000000000002"];
async function* bytes(...pieces: string[]) {
  for (const piece of pieces) yield new TextEncoder().encode(piece);
}

test("files stay as long as the tab they were handed to, and no longer", async () => {
  const place = join(directory.path, "handed");
  mkdirSync(join(place, "of an agent that is gone"), { recursive: true });
  writeFileSync(join(place, "of an agent that is gone", "x"), "");
  const handed = new HandedFiles(place);
  expect(readdirSync(place)).toEqual([]);

  await handed.write({ batch: FIRST, tab: "one", name: "a.txt" }, bytes("he", "llo"));
  await handed.write({ batch: SECOND, tab: "two", name: "a.txt" }, bytes("other"));
  const [path] = handed.paths(FIRST, ["a.txt"]);
  expect(readFileSync(path!, "utf8")).toBe("hello");
  expect(() => handed.paths(FIRST, ["b.txt"])).toThrow(expect.objectContaining({ code: "upload_not_found" }));
  await expect(handed.write({ batch: FIRST, tab: "two", name: "b.txt" }, bytes("x"))).rejects.toMatchObject({
    code: "invalid_request",
  });

  handed.keepFor(["two", "three"]);
  expect(() => handed.paths(FIRST, ["a.txt"])).toThrow(expect.objectContaining({ code: "upload_not_found" }));
  while (existsSync(join(place, FIRST))) await new Promise((done) => setImmediate(done));
  expect(readFileSync(handed.paths(SECOND, ["a.txt"])[0]!, "utf8")).toBe("other");
});

test("a file that breaks off is not there, and the guest is not filled by batches", async () => {
  const handed = new HandedFiles(join(directory.path, "handed"));
  const short = handed.write({ batch: FIRST, tab: "one", name: "a.txt", bytes: 10 }, bytes("hello"));
  await expect(short).rejects.toMatchObject({ code: "upload_mismatch" });
  expect(() => handed.paths(FIRST, ["a.txt"])).toThrow(expect.objectContaining({ code: "upload_not_found" }));
  const many = async () => {
    for (let count = 0; count < 300; count++)
      await handed.write({ batch: crypto.randomUUID(), tab: "one", name: "a" }, bytes("a"));
  };
  await expect(many()).rejects.toMatchObject({ code: "limit_reached" });
});

test("a tab that closes while it is handed a file: that is said, and nothing stays", async () => {
  const place = join(directory.path, "handed");
  const handed = new HandedFiles(place);
  const begun = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  async function* slow() {
    yield* bytes("the first half");
    begun.resolve();
    await closed.promise;
    yield* bytes("the second");
  }
  const writing = handed.write({ batch: FIRST, tab: "one", name: "a.txt" }, slow());
  const last = handed.write({ batch: FIRST, tab: "one", name: "b.txt" }, closing());
  async function* closing() {
    yield* bytes("all of it");
    await closed.promise; // its end comes when the tab is gone
  }
  await begun.promise;
  handed.keepFor(["two"]);
  closed.resolve();
  for (const ended of await Promise.allSettled([writing, last]))
    expect(ended).toMatchObject({ status: "rejected", reason: { code: "tab_not_found" } });
  expect(readdirSync(place)).toEqual([]);
});
