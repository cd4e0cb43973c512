/** Builds `dist/hype` and `dist/hype-agent`, each smoke-run. Flags: docs/architecture.md, "Compiled safely". */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");

/** A root-run binary must not load `.env` or `bunfig.toml` of whatever folder it is started in. */
const FLAGS = [
  "--compile",
  "--minify",
  "--splitting",
  "--bytecode",
  "--format=esm",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // OpenTUI picks its native part by this; without it the build looks for the one of musl.
  '--define=process.env.OPENTUI_LIBC="glibc"',
];

async function compile(entry: string, name: string): Promise<void> {
  const outfile = join(dist, name);
  const build = Bun.spawn([process.execPath, "build", ...FLAGS, join(root, entry), "--outfile", outfile], {
    cwd: root,
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await build.exited) !== 0) throw new Error(`${name} did not compile`);
  const smoke = Bun.spawn([outfile, "--version"], {
    cwd: "/",
    env: { HOME: "/nonexistent", PATH: "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const version = (await new Response(smoke.stdout).text()).trim();
  if ((await smoke.exited) !== 0 || !/\d+\.\d+\.\d+/.test(version))
    throw new Error(`${name} --version does not work: ${version}`);
  console.log(`${name}: ${version}, ${(statSync(outfile).size / 1e6).toFixed(1)} MB`);
}

mkdirSync(dist, { recursive: true });
await compile("agent/main.ts", "hype-agent");
await compile("src/main.ts", "hype");
