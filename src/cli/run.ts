import type { CliContext } from "./context.ts";
import { commandDefinitions, createCli } from "./definitions.ts";
import { asksForHelp, helpFor, overview } from "./help.ts";
import { reportError } from "./report-error.ts";
import { isSyntaxError, usageError } from "./usage-error.ts";

/**
 * Runs one command line. clipanion parses; help and errors are ours, because clipanion writes errors to standard output and
 * ends every failure with 1.
 * @returns exit code: 0 ok, 1 failed, 2 usage, 3 no server, 130 interrupted
 */
export async function run(argv: string[], context: CliContext): Promise<number> {
  const cli = createCli();
  const end = argv.indexOf("--");
  const json = (end < 0 ? argv : argv.slice(0, end)).includes("--json");
  try {
    const { terminal } = context;
    if ((argv.length === 0 && terminal.stdin && terminal.stdout) || isTuiAlone(argv))
      return await cli.process(["tui", ...argv], context).validateAndExecute();
    if (argv.length === 0 || asksForHelp(argv)) {
      const definitions = commandDefinitions(cli);
      const paint = context.paint.stdout;
      context.stdout.write(argv.length === 0 ? overview(definitions, paint) : helpFor(argv, definitions, paint));
      return 0;
    }
    const command = cli.process(argv, context);
    return await command.validateAndExecute();
  } catch (thrown) {
    if ((thrown as { code?: string } | null)?.code === "EPIPE") return 0; // a reader that has seen enough (`| head`)
    const error = isSyntaxError(thrown) ? usageError(argv, commandDefinitions(cli), thrown) : thrown;
    return reportError(error, json, context);
  }
}

const TUI_OPTION = /^--(theme|server|api|key)(=|$)/;

/** `hype --theme light`: options of the terminal interface, and no command. */
export function isTuiAlone(argv: string[]): boolean {
  const rest = argv.filter((word, at) => !TUI_OPTION.test(word) && !/^--[a-z]+$/.test(argv[at - 1] ?? ""));
  return argv.length > 0 && rest.length === 0 && TUI_OPTION.test(argv[0]!);
}
