import { writeFileSync } from "node:fs";
import { HYPE, SealedHome } from "../test/lib/hype.ts";
import { temporaryDirectory } from "../test/lib/temporary.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 15;

/** Whole processes, start to exit, beside a compiled program that only prints a line. */
export async function startup(): Promise<Row[]> {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("hello.ts"), 'console.log("hello");\n');
  const hello = directory.join("hello");
  await Bun.spawn(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--bytecode",
      "--format=esm",
      directory.join("hello.ts"),
      "--outfile",
      hello,
    ],
    { stdout: "ignore" },
  ).exited;
  await using home = new SealedHome();
  await home.serve();
  const times = { hello: [] as number[], version: [] as number[], list: [] as number[] };
  const timed = async (argv: string[]): Promise<number> => {
    const started = performance.now();
    await Bun.spawn(argv, { env: home.env, stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
    return performance.now() - started;
  };
  const hype = (...args: string[]) => [HYPE, ...args];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const sample = [await timed([hello]), await timed(hype("--version")), await timed(hype("vms", "list"))] as const;
    if (round < 2) continue; // the first runs fill the page cache
    times.hello.push(sample[0]);
    times.version.push(sample[1]);
    times.list.push(sample[2]);
  }
  const row = (what: string, values: number[], limit: number): Row => ({
    what,
    ours: `${spread(values)} ms`,
    raw: `hello ${spread(times.hello)} ms`,
    figure: `${median(values).toFixed(1)} ms`,
    target: `<= ${limit} ms`,
    met: median(values) <= limit,
    n: ROUNDS,
  });
  return [row("hype --version", times.version, 50), row("hype vms list", times.list, 150)];
}
