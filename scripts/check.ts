/**
 * Every check there is, in order of cost. The last line reads `N passed, N failed`.
 * Each static check counts as one; each test as one. `bun run check` and `./install.sh --check` both end here.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { leftovers, RUN_MARK, snapshot } from "../test/lib/leftovers.ts";

const root = join(import.meta.dir, "..");
const bun = process.execPath;
const imageDir = process.env.OVERHYPED_IMAGE_DIR ?? join(homedir(), ".overhyped", "images");

const run = crypto.randomUUID();
let passed = 0;
let failed = 0;
const failures: string[] = [];

function count(name: string, ok: boolean): void {
  if (ok) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

async function step(name: string, argv: string[], env: Record<string, string> = {}): Promise<boolean> {
  const started = performance.now();
  const child = Bun.spawn(argv, {
    cwd: root,
    env: { ...process.env, [RUN_MARK]: run, ...env },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const ok = (await child.exited) === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return ok;
}

/** Runs test files in one process and adds up the JUnit report; a run that dies without one is a failure. */
async function tests(name: string, patterns: string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hype-check-"));
  const report = join(directory, "junit.xml");
  const argv = [bun, "test", "--timeout", "120000", "--reporter=junit", `--reporter-outfile=${report}`, ...patterns];
  const ok = await step(name, argv, { OVERHYPED_TEST_IMAGE_DIR: imageDir });
  try {
    const xml = readFileSync(report, "utf8");
    const suites = /<testsuites[^>]*>/.exec(xml)?.[0] ?? "";
    const number = (attribute: string) => Number(new RegExp(`\\b${attribute}="(\\d+)"`).exec(suites)?.[1] ?? 0);
    const broken = number("failures") + number("errors");
    passed += number("tests") - broken - number("skipped");
    failed += broken;
    if (broken > 0) failures.push(`${name}: ${broken} tests`);
    else if (!ok) count(`${name}: ended badly`, false);
  } catch {
    count(`${name}: no report`, false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const before = snapshot();
const only = process.argv.slice(2);
const runs = (name: string) => only.length === 0 || only.includes(name);

if (runs("static")) {
  count("types", await step("types", [bun, "x", "tsc", "-p", "."]));
  count(
    "lint",
    await step("lint", [bun, "x", "oxlint", "--deny-warnings", "src", "agent", "test", "scripts", "bench"]),
  );
  count("format", await step("format", [bun, "fmt", "--check", "."]));
}
if (runs("image"))
  count(
    "image",
    await step("image", [join(root, "dist", "hype"), "image", "build"], { OVERHYPED_IMAGE_DIR: imageDir }),
  );
// Says what this machine gives, and probes KVM once for all tests.
if (runs("image"))
  await step("doctor", [join(root, "dist", "hype"), "doctor"], {
    OVERHYPED_IMAGE_DIR: imageDir,
    OVERHYPED_HOME: join(imageDir, ".."),
  });
/** Every directory of tests but the two that need what the steps before them made. */
const rooms = [
  ...new Set([...new Bun.Glob("*/**/*.test.ts").scanSync(join(root, "test"))].map((file) => file.split("/")[0]!)),
]
  .filter((room) => room !== "process" && room !== "vm")
  .toSorted();
if (runs("rooms"))
  await tests(
    "rooms",
    rooms.map((room) => `./test/${room}/`),
  );
if (runs("process")) await tests("process", ["./test/process/"]);
if (runs("vm")) await tests("vm", ["./test/vm/"]);

const left = leftovers(before, run);
for (const line of left) console.log(`left behind: ${line}`);
count("nothing is left behind", left.length === 0);

for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
