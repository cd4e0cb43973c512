import { type BaseContext, Cli } from "clipanion";
import type { Client, ConnectOptions } from "../client/types.ts";
import { processEnvironment } from "../config/process-environment.ts";
import { catchInterrupts, type Interrupts } from "./interrupts.ts";
import { type Colours, colours } from "./output/colours.ts";

/** Everything a command touches of the world around it. Tests hand in their own. */
export type CliContext = BaseContext & {
  /** Which of the three streams are terminals. */
  terminal: { stdin: boolean; stdout: boolean; stderr: boolean; columns: number };
  /** Colours of standard output and of standard error: off without a terminal or with NO_COLOR (no-color.org). */
  paint: { stdout: Colours; stderr: Colours };
  cwd: string;
  connect(options: ConnectOptions): Promise<Client>;
  catchInterrupts(): Interrupts;
};

export function processContext(): CliContext {
  const env = processEnvironment();
  const coloured = (isTerminal: boolean) => colours(isTerminal && !env.NO_COLOR && env.TERM !== "dumb");
  const terminal = {
    stdin: process.stdin.isTTY === true,
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
  };
  return {
    ...Cli.defaultContext,
    env,
    terminal,
    paint: { stdout: coloured(terminal.stdout), stderr: coloured(terminal.stderr) },
    cwd: process.cwd(),
    connect: async (options) => (await import("../client/client.ts")).connect(options),
    catchInterrupts,
  };
}
