import { Readable, Writable } from "node:stream";
import type { Commands, Completion } from "../tui/commands/commands.ts";
import { splitLine } from "../tui/commands/commands.ts";
import type { Client } from "../client/types.ts";
import type { Target } from "../tui/connection/session.ts";
import { messageOf } from "../contract/errors.ts";
import { completionNodes } from "./completion/words.ts";
import type { CliContext } from "./context.ts";
import { commandDefinitions } from "./definitions.ts";
import { colours } from "./output/colours.ts";
import { run } from "./run.ts";

/** Commands that take the terminal for themselves, or end the server under it. */
const NOT_HERE = new Set(["tui", "serve", "mcp"]);

/**
 * The CLI as the palette of the terminal interface uses it: the same commands, their output as text, in this process.
 * @param target the server on the screen
 * @param open a client of it: a key of the environment or the settings file is for another server
 */
export function tuiCommands(
  context: CliContext,
  target: () => Target,
  open: (target: Target) => Promise<Client>,
): Commands {
  const definitions = commandDefinitions().filter(({ path }) => !NOT_HERE.has(path[0] ?? ""));
  const nodes = completionNodes(definitions);
  return {
    complete(line) {
      const words = line.split(" ");
      const last = words.pop() ?? "";
      // The longest path that the words before begin with.
      const node = nodes
        .filter(({ path }) => path === "" || words.join(" ").startsWith(path))
        .toSorted((a, b) => b.path.length - a.path.length)[0];
      if (!node) return [];
      const options = node.options.flatMap(({ names, description }): Completion[] => {
        const long = names.find((name) => name.startsWith("--"));
        return long ? [{ word: long, description }] : [];
      });
      const all = last.startsWith("-") ? options : [...node.words, ...(node.words.length === 0 ? options : [])];
      return all.filter(({ word }) => word.startsWith(last) && word !== last);
    },
    async run(line, write, signal) {
      const argv = splitLine(line);
      if (NOT_HERE.has(argv[0] ?? "")) {
        write(`hype ${argv[0]} cannot run inside the terminal interface\n`);
        return 2;
      }
      const stream = () =>
        new Writable({
          write(chunk: Buffer | string, _encoding, done) {
            write(chunk.toString());
            done();
          },
        });
      const paint = colours(false);
      const shown = target();
      const hasKey = argv.some((word) => word === "--key" || word.startsWith("--key="));
      const own: CliContext = {
        ...context,
        // The server on the screen is meant, whatever the environment says.
        env: { ...context.env, OVERHYPED_API_BASE: shown.server, OVERHYPED_API_KEY: "" },
        connect: (options) => {
          if (hasKey) return context.connect(options);
          if (options.base === shown.server) return open(shown);
          return context.connect({ ...options, key: null }); // what is known is another server's
        },
        stdin: Readable.from([]),
        stdout: stream(),
        stderr: stream(),
        terminal: { stdin: false, stdout: false, stderr: false, columns: 100 },
        paint: { stdout: paint, stderr: paint },
        catchInterrupts: () => ({ signal, [Symbol.dispose]() {} }),
      };
      try {
        return await Promise.race([run(argv, own), ended(signal)]);
      } catch (thrown) {
        write(`${messageOf(thrown)}\n`);
        return 1;
      }
    },
  };
}

/** What does not listen to its interrupts is left alone. */
function ended(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => setTimeout(() => resolve(130), 1_000).unref(), { once: true });
  });
}
