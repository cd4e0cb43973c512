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

/** More files than so many that fail in one room are no accident. */
const MAX_AGAIN = 3;

const testFiles = [...new Bun.Glob("test/*/**/*.test.ts").scanSync(root)].toSorted();
const run = crypto.randomUUID();
let passed = 0;
let failed = 0;
const failures: string[] = [];
const unsteady: string[] = [];

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

type Report = { ran: number; failed: number; files: string[]; broken: string[] };

/** Runs test files in one process. @returns null where it ended badly without saying why */
async function runTests(name: string, patterns: string[]): Promise<Report | null> {
  const directory = mkdtempSync(join(tmpdir(), "hype-check-"));
  const report = join(directory, "junit.xml");
  const argv = [bun, "test", "--timeout", "120000", "--reporter=junit", `--reporter-outfile=${report}`, ...patterns];
  const ok = await step(name, argv, { OVERHYPED_TEST_IMAGE_DIR: imageDir });
  try {
    const told = readReport(readFileSync(report, "utf8"));
    return ok || told.failed > 0 ? told : null;
  } catch {
    return null;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readReport(xml: string): Report {
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  const number = (tag: string, name: string) => Number(attribute(tag, name));
  const all = /<testsuites[^>]*>/.exec(xml)?.[0] ?? "";
  const suites = [...xml.matchAll(/<testsuite [^>]*>/g)].map(([tag]) => tag);
  const filesOf = (some: string[]) => [...new Set(some.map((tag) => attribute(tag, "file")))];
  return {
    ran: number(all, "tests") - number(all, "skipped"),
    failed: number(all, "failures") + number(all, "errors"),
    files: filesOf(suites),
    broken: filesOf(suites.filter((tag) => number(tag, "failures") > 0)),
  };
}

/**
 * A test that waits for real browsers and machines can fail of a busy host alone. So up to {@link MAX_AGAIN} files that failed run
 * once more by themselves: what fails again counts as failed, what passes is named, for somebody to mend.
 */
async function tests(name: string, patterns: string[]): Promise<void> {
  const first = await runTests(name, patterns);
  if (first === null) return count(`${name}: ended badly`, false);
  // The report does not tell of a file that could not be loaded.
  for (const file of testFiles.filter((file) => patterns.some((pattern) => `./${file}`.startsWith(pattern))))
    if (!first.files.includes(file)) count(`${name}: ${file} was not run`, false);
  let broken = first.failed;
  if (first.broken.length > 0 && first.broken.length <= MAX_AGAIN) {
    const files = first.broken.map((file) => `./${file}`);
    const again = await runTests(`${name}, again`, files);
    if (again?.failed === 0) {
      unsteady.push(`${broken} tests failed once and passed alone, in ${first.broken.join(", ")}`);
      broken = 0;
    }
  }
  passed += first.ran - broken;
  failed += broken;
  if (broken > 0) failures.push(`${name}: ${broken} tests`);
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
const rooms = [...new Set(testFiles.map((file) => file.split("/")[1]!))]
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

for (const files of unsteady) console.log(`unsteady: ${files}`);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
