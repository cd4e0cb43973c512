import { join } from "node:path";

/**
 * A macro: bundles the script of one of our pages into one string, when `hype` is built (or, from source, when it starts).
 * A process of its own, because Bun cannot bundle inside a bundling.
 * @param entry below src/
 */
export function bundleScript(entry: string): string {
  const built = Bun.spawnSync(
    [process.execPath, "build", join(import.meta.dir, "..", entry), "--target=browser", "--format=iife", "--minify"],
    { env: { PATH: "/usr/bin:/bin", BUN_BE_BUN: "1" } },
  );
  if (built.exitCode !== 0) throw new Error(`${entry} does not bundle: ${built.stderr.toString()}`);
  return built.stdout.toString();
}
