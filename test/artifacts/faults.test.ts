import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";
import { aFile, bytesOf, filesBelow, sha256, Shelf } from "./world.ts";

setDefaultTimeout(30_000); // processes of their own on a machine that may be busy

const PROGRAM = join(import.meta.dir, "program.ts");
const fileOf = (text: string) => join(sha256(text).slice(0, 2), sha256(text));
const OLD = ["precious one", "precious two"];

/** A state with two artifacts, on which the program was killed with SIGKILL at the step. */
async function killedAt(operation: "keep" | "delete", step: string) {
  const home = temporaryDirectory();
  using shelf = new Shelf({ place: home.path });
  for (const text of OLD) await shelf.artifacts.keep(aFile({ name: text }), bytesOf(text));
  shelf[Symbol.dispose]();
  const child = Bun.spawn([process.execPath, PROGRAM, home.path, operation, step], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  expect(new TextDecoder().decode(value)).toBe("reached\n");
  return home;
}

describe("killed with SIGKILL", () => {
  test.each(["arriving", "checking", "placing", "inserting"])(
    "in the middle of a keep, at %p: the next one leaves nothing of it",
    async (step) => {
      using home = await killedAt("keep", step);
      using next = new Shelf({ place: home.path });
      expect(next.artifacts.list({ limit: 10 }).items.map(({ name }) => name)).toEqual(OLD.toReversed());
      expect(next.files()).toEqual(OLD.map(fileOf).toSorted());
      expect(next.artifacts.usedBytes).toBe(24);
      expect(await next.artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
    },
  );

  test("after the row is there: it is kept", async () => {
    using home = await killedAt("keep", "settling");
    using next = new Shelf({ place: home.path });
    expect(next.artifacts.list({ limit: 10 }).items.map(({ name }) => name)).toEqual(["last", ...OLD.toReversed()]);
    expect(next.files()).toEqual([...OLD, "half made and whole"].map(fileOf).toSorted());
    expect(await next.artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
  });

  test("in the middle of a delete, before its row goes: nothing was deleted", async () => {
    using home = await killedAt("delete", "removing the row");
    using next = new Shelf({ place: home.path });
    expect(next.artifacts.list({ limit: 10 }).items).toHaveLength(2);
    expect(next.files()).toEqual(OLD.map(fileOf).toSorted());
  });

  test.each(["removing the file", "settling"])(
    "in the middle of a delete, at %p: the next one finishes it",
    async (step) => {
      using home = await killedAt("delete", step);
      using next = new Shelf({ place: home.path });
      expect(next.artifacts.list({ limit: 10 }).items.map(({ name }) => name)).toEqual([OLD[0]!]);
      expect(next.files()).toEqual([fileOf(OLD[0]!)]);
      expect(next.artifacts.usedBytes).toBe(12);
    },
  );
});

describe.skipIf(process.getuid?.() !== 0)("a disk that is full", () => {
  /** A file system of 1 MB for the files, in a mount namespace of the program's own; what is left is listed before it goes. */
  const onSmallDisk = async (home: string, ...argv: string[]) => {
    const place = join(home, "artifacts");
    const script = `mkdir -p '${place}' && mount -t tmpfs -o size=1m tmpfs '${place}' && "$@" && find '${place}' -type f`;
    const child = Bun.spawn(
      ["unshare", "--mount", "sh", "-c", script, "sh", process.execPath, PROGRAM, home, ...argv],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const said = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return said.trim().split("\n");
  };

  test("ends a keep in the middle: it says so, and nothing is left", async () => {
    using home = temporaryDirectory();
    const [said, ...left] = await onSmallDisk(home.path, "keep", "", String(4 * 1_048_576));
    expect(said).toStartWith("disk_full: no space left while writing ");
    expect(left).toEqual([]);
    using shelf = new Shelf({ place: home.path });
    expect(shelf.artifacts.list({ limit: 10 }).items).toEqual([]);
  });

  test("what fits is kept", async () => {
    using home = temporaryDirectory();
    const [said, ...left] = await onSmallDisk(home.path, "keep", "", "100000");
    expect([said, left.length]).toEqual(["done", 1]);
  });
});

test("a database that cannot grow: a keep leaves nothing, and a delete still makes room", async () => {
  using shelf = new Shelf();
  const kept = await shelf.artifacts.keep(aFile(), bytesOf("precious"));
  const full = () => {
    throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  };
  const { insert, remove } = shelf.store.artifacts;
  shelf.store.artifacts.insert = full;
  await expect(shelf.artifacts.keep(aFile(), bytesOf("more"))).rejects.toMatchObject({
    code: "disk_full",
  });
  expect(shelf.files()).toEqual([fileOf("precious")]);
  shelf.store.artifacts.insert = insert;
  let tries = 0;
  shelf.store.artifacts.remove = (id) => {
    // The first time the disk is full; the second time the file has gone and there is room.
    if (tries++ === 0) full();
    expect(filesBelow(shelf.home.join("artifacts")).filter((name) => !name.startsWith("marks"))).toEqual([]);
    remove.call(shelf.store.artifacts, id);
  };
  shelf.artifacts.delete(kept.id);
  expect([tries, shelf.files(), shelf.artifacts.usedBytes]).toEqual([2, [], 0]);
});
