import { lstatSync, mkdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/image/sha256.ts";
import { needTools, runStep } from "../../src/image/tools.ts";

/**
 * Compares two root file systems file by file: path, kind, mode, owner, date, target or bytes.
 * @param scratch directory to unpack into; made and removed here.
 * @returns one line per difference, sorted by path: `- ` only in the first, `+ ` only in the second; empty when they are the same.
 */
export async function differences(first: string, second: string, scratch: string): Promise<string[]> {
  needTools("fsck.erofs");
  mkdirSync(scratch);
  try {
    const [a, b] = await Promise.all([list(first, join(scratch, "a")), list(second, join(scratch, "b"))]);
    const only = (these: Set<string>, those: Set<string>, mark: string) =>
      [...these].filter((line) => !those.has(line)).map((line) => `${mark} ${line}`);
    return [...only(a, b, "-"), ...only(b, a, "+")].sort((x, y) => pathOf(x).localeCompare(pathOf(y)));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const pathOf = (difference: string): string => difference.split(" ")[1] ?? "";

async function list(rootfs: string, directory: string): Promise<Set<string>> {
  await runStep(["fsck.erofs", `--extract=${directory}`, rootfs]);
  const paths = [
    ...new Bun.Glob("**/*").scanSync({ cwd: directory, dot: true, onlyFiles: false, followSymlinks: false }),
  ];
  return new Set(await Promise.all(paths.map(async (path) => `${path} ${await describe(join(directory, path))}`)));
}

async function describe(path: string): Promise<string> {
  const entry = lstatSync(path);
  const what = entry.isSymbolicLink() ? readlinkSync(path) : entry.isFile() ? await sha256Of(path) : "";
  return `${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.mtimeMs} ${what}`.trim();
}
