import { HypeError } from "../../contract/errors.ts";
import { run, tail } from "../../host/run.ts";

/** Runs a command that must succeed. @throws HypeError setup_failed with its own words | tool_missing | operation_timeout */
export async function mustRun(argv: [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await run(argv, { timeoutMs: 180_000 });
  if (code === 0) return stdout;
  const said = tail(stderr || stdout, 5) || "it said nothing";
  throw new HypeError("setup_failed", `\`${argv.join(" ")}\` ended with ${code}: ${said}`, { command: argv, code });
}
