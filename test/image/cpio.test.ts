import { HypeError } from "../../src/contract/index.ts";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { cpio, type CpioEntry } from "../../src/image/cpio.ts";

const scratch = mkdtempSync(join(tmpdir(), "hype-cpio-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const archive = (entries: CpioEntry[], mtime = 1000) => Buffer.concat([...cpio(entries, mtime)]);

/** GNU cpio's reading of an archive. */
function cpioTool(args: string[], input: Buffer, cwd = scratch): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["cpio", "--quiet", ...args], { cwd, stdin: input });
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.toString();
}

const name = fc.stringMatching(/^[a-z0-9._+-]{1,40}$/).filter((text) => text !== "." && text !== "..");
const content = fc.oneof(
  fc.record({
    kind: fc.constant("file" as const),
    data: fc.uint8Array({ maxLength: 300 }),
    mode: fc.constantFrom(0o644, 0o755, 0o600),
  }),
  fc.record({ kind: fc.constant("symlink" as const), target: fc.stringMatching(/^[a-z/.]{1,60}$/) }),
);
/** A tree one directory deep: enough for every kind of entry and for the order of parents. */
const tree: fc.Arbitrary<CpioEntry[]> = fc
  .uniqueArray(fc.tuple(name, fc.uniqueArray(fc.tuple(name, content), { selector: ([path]) => path, maxLength: 5 })), {
    selector: ([path]) => path,
    maxLength: 5,
  })
  .map((directories) =>
    directories.flatMap(([path, children]) => [
      ...children.map(([child, entry]): CpioEntry => ({ path: `${path}/${child}`, ...entry })),
      { path, kind: "directory" as const, mode: 0o755 },
    ]),
  );

describe("cpio", () => {
  test("what it writes, GNU cpio reads: names, order, contents, modes and dates", () => {
    let round = 0;
    fc.assert(
      fc.property(tree, (entries) => {
        const bytes = archive(entries);
        const names = entries.map(({ path }) => path).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(cpioTool(["-t"], bytes).split("\n").filter(Boolean)).toEqual(names);

        const target = join(scratch, String((round += 1)));
        mkdirSync(target);
        cpioTool(["-i", "--preserve-modification-time"], bytes, target);
        for (const entry of entries) {
          const path = join(target, entry.path);
          if (entry.kind === "symlink") expect(readlinkSync(path)).toBe(entry.target);
          if (entry.kind === "directory")
            expect(readdirSync(path).length).toBe(
              entries.filter((other) => other.path.startsWith(`${entry.path}/`)).length,
            );
          if (entry.kind !== "file") continue;
          expect(readFileSync(path)).toEqual(Buffer.from(entry.data));
          expect(statSync(path).mode & 0o777).toBe(entry.mode);
          expect(statSync(path).mtimeMs).toBe(1_000_000);
        }
        rmSync(target, { recursive: true });
      }),
      { numRuns: 40 },
    );
  });

  test("the order of entries makes no difference", () => {
    fc.assert(
      fc.property(tree, (entries) => archive(entries).equals(archive([...entries].reverse()))),
      { numRuns: 40 },
    );
  });

  test("every entry belongs to root, and its length is a multiple of four bytes", () => {
    const bytes = archive([{ path: "a", kind: "file", data: Buffer.from("12345"), mode: 0o644 }]);
    expect(bytes.length % 4).toBe(0);
    expect(cpioTool(["-tv", "--numeric-uid-gid"], bytes)).toMatch(/^-rw-r--r--\s+1 0\s+0\s+5 /);
  });

  test.each([
    ["an absolute path", ["/etc"]],
    ["an empty path", [""]],
    ["a path given twice", ["a", "a"]],
    ["the end mark as a name", ["TRAILER!!!"]],
  ])("refuses %s", (_, paths) => {
    const entries = paths.map((path): CpioEntry => ({ path, kind: "directory", mode: 0o755 }));
    expect(() => archive(entries)).toThrow(HypeError);
  });
});
