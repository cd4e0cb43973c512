import { Cli, type Definition } from "clipanion";
import { COMMANDS } from "./commands.ts";
import type { CliContext } from "./context.ts";
import { describeOption, type OptionDescription } from "./option.ts";

/** One command as help, completion and docs/cli.md tell it. */
export type CommandDefinition = {
  /** Words after `hype`: ["vms", "create"]. */
  path: string[];
  /** `hype vms create <name> [options]` */
  usage: string;
  category: string;
  description: string;
  details: string;
  examples: [words: string, line: string][];
  options: OptionDescription[];
};

export const createCli = (): Cli<CliContext> =>
  Cli.from<CliContext>([...COMMANDS], { binaryName: "hype", enableColors: false });

/** Every command, in the order of commands.ts. */
export const commandDefinitions = (cli = createCli()): CommandDefinition[] => cli.definitions().map(plain);

/** A command's own options come first. */
const isShared = ({ names }: OptionDescription): number =>
  Number(["--json", "--api", "--key"].includes(names[0] ?? ""));

function plain(definition: Definition): CommandDefinition {
  const line = (text = "") => text.trim();
  return {
    path: definition.path.split(" ").slice(1),
    usage: usageOf(definition.usage),
    category: line(definition.category),
    description: line(definition.description),
    details: line(definition.details),
    examples: (definition.examples ?? []).map(([words, example]) => [line(words), line(example)]),
    options: definition.options.map(describeOption).toSorted((a, b) => isShared(a) - isShared(b)),
  };
}

/** What a shell is to run stands at the end, after `--`: its own options are not ours. */
const usageOf = (usage: string): string =>
  usage.endsWith(" shell <name> ...")
    ? usage.replace(/ \.\.\.$/, " [options] [-- command...]")
    : `${usage.replace("> ...", ">...").replace(/ \.\.\.$/, " [name]...")} [options]`;

/** The command whose path leads these words, and how many of them it takes; null when there is none. */
export function findCommand(definitions: CommandDefinition[], words: readonly string[]): CommandDefinition | null {
  const matches = definitions.filter(({ path }) => path.every((word, index) => words[index] === word));
  return matches.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** Commands below a first word such as `vms`. */
export const commandsBelow = (definitions: CommandDefinition[], word: string): CommandDefinition[] =>
  definitions.filter(({ path }) => path.length > 1 && path[0] === word);
