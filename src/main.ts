import { VERSION } from "./contract/version.ts";

/** argv -> mode. Whatever a mode needs is imported when it is chosen, so that `hype --version` answers at once. */
const argv = process.argv.slice(2);

// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (fault: NodeJS.ErrnoException) => {
    if (fault.code === "EPIPE") process.exit(0);
    throw fault;
  });

if (argv.length === 1 && ["version", "--version", "-v", "-V"].includes(argv[0] ?? "")) {
  process.stdout.write(`hype ${VERSION}\n`);
} else {
  const { processContext } = await import("./cli/context.ts");
  const { isTuiAlone, run } = await import("./cli/run.ts");
  const context = processContext();
  process.exitCode = await run(argv, context);
  // The terminal interface is left at once, whatever it asked a server to do: a boot that it waits for goes on there.
  if (((argv[0] ?? "tui") === "tui" || isTuiAlone(argv)) && context.terminal.stdout) process.exit();
}
