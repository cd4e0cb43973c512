import { HypeError } from "../contract/errors.ts";
import { type CommandDefinition, commandsBelow, findCommand } from "./definitions.ts";

type SyntaxCandidate = { usage: string; reason: string | null };

/** What clipanion throws when the words fit no command: it lists every command there is, we name the nearest. */
export const isSyntaxError = (thrown: unknown): thrown is Error & { candidates?: SyntaxCandidate[] } =>
  thrown instanceof Error &&
  ["UnknownSyntaxError", "AmbiguousSyntaxError", "UsageError"].includes(thrown.name) &&
  "clipanion" in thrown;

/** Says what is wrong with a command line, from the command it nearly was. */
export function usageError(
  argv: readonly string[],
  definitions: CommandDefinition[],
  thrown: Error & { candidates?: SyntaxCandidate[] },
): HypeError {
  const words = argv.filter((word) => !word.startsWith("-"));
  const command = findCommand(definitions, words);
  if (command) {
    const line = `hype ${command.path.join(" ")}`;
    const reason = thrown.candidates?.find(({ usage, reason }) => reason !== null && isUsageOf(usage, line))?.reason;
    const fault = reason ?? (thrown.candidates ? "the arguments do not fit" : thrown.message);
    return usage(`${line}: ${plainly(fault)}`, `Usage: ${command.usage}; \`${line} --help\` tells more.`);
  }
  const below = commandsBelow(definitions, words[0] ?? "");
  if (below.length > 0) {
    const names = below.map(({ path }) => path[1] ?? "");
    const fault = words[1] === undefined ? `hype ${words[0]} needs a command` : `there is no command ${quoted(words)}`;
    return usage(`${fault}; hype ${words[0]} knows ${names.join(", ")}`, remedy(words, definitions));
  }
  const fault = words.length === 0 ? `unknown option ${argv[0] ?? ""}` : `there is no command ${quoted(words)}`;
  return usage(fault, remedy(words, definitions));
}

const usage = (message: string, remedyText: string) => new HypeError("usage", message, { remedy: remedyText });
const isUsageOf = (candidate: string, line: string) => candidate === line || candidate.startsWith(`${line} `);
const quoted = (words: string[]) => `\`hype ${words.slice(0, 2).join(" ")}\``;
/** clipanion's words, plainer. */
const plainly = (text: string) =>
  text
    .replace(/^Not enough positional arguments/, "an argument is missing")
    .replace(/^Extraneous positional argument/, "one argument too many")
    .replace(/^(Unsupported|Invalid) option name/, "unknown option")
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase())
    .replace(/\.$/, "");

function remedy(words: string[], definitions: CommandDefinition[]): string {
  const [first = "", second = ""] = words;
  const nearest = definitions
    .map(({ path }) => {
      const line = path.join(" ");
      // `hype lst web` may mean `hype vms list web` as well as a mistyped first word.
      const forms = [
        editDistance(`${first} ${second}`, line),
        editDistance(first, line),
        editDistance(first, path.at(-1) ?? ""),
      ];
      return { line, words: path.length, distance: Math.min(...forms) };
    })
    // Of two that are as near, the one that needs fewer words.
    .toSorted((a, b) => a.distance - b.distance || a.words - b.words)[0];
  const guess = nearest && first !== "" && nearest.distance <= 2 ? `Did you mean \`hype ${nearest.line}\`? ` : "";
  return `${guess}\`hype --help\` shows the commands.`;
}

/** Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
