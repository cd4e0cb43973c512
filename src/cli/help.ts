import { VERSION } from "../contract/version.ts";
import { type CommandDefinition, commandsBelow, findCommand } from "./definitions.ts";
import type { OptionDescription } from "./option.ts";
import type { Colours } from "./output/colours.ts";
import { pad } from "./output/table.ts";

const ABOUT = "a private browser cloud on your own machine: every browser alone in its own microVM";

/** True when the words ask for help; what stands after `--` belongs to the command. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  return words[0] === "help" || words.includes("--help") || words.includes("-h");
}

/** Help on whatever the words name: one command, one group, or everything. */
export function helpFor(argv: readonly string[], definitions: CommandDefinition[], paint: Colours): string {
  const words = argv.filter((word) => word !== "help" && !word.startsWith("-"));
  const command = findCommand(definitions, words);
  if (command) return commandHelp(command, paint);
  const group = commandsBelow(definitions, words[0] ?? "");
  return group.length > 0 ? listing(group, paint) : overview(definitions, paint);
}

export function overview(definitions: CommandDefinition[], paint: Colours): string {
  return [
    `${paint.bold(`hype ${VERSION}`)}: ${ABOUT}`,
    "",
    `${paint.bold("Begin with")}`,
    "  hype doctor                     checks what this machine has and lacks",
    "  hype try                        boots a VM, opens a page, saves a picture, tidies up",
    "  hype serve                      the server; then `hype vms create demo` in another terminal",
    "",
    listing(definitions, paint),
    "`hype <command> --help` tells more about one command. All take --json.",
    "",
  ].join("\n");
}

function listing(definitions: CommandDefinition[], paint: Colours): string {
  const width = Math.max(...definitions.map((definition) => heading(definition).length));
  const categories = [...new Set(definitions.map(({ category }) => category))];
  return categories
    .map((category) => {
      const members = definitions.filter((definition) => definition.category === category);
      const lines = members.map((member) => `  ${pad(heading(member), width)}  ${member.description}`);
      return `${paint.bold(category)}\n${lines.join("\n")}\n`;
    })
    .join("\n");
}

const heading = ({ usage }: CommandDefinition): string => usage.replace(/ \[options\].*$/, "").replace(/^hype /, "");

function commandHelp(definition: CommandDefinition, paint: Colours): string {
  const parts = [`${definition.description}.`, `${paint.bold("Usage")}\n  ${definition.usage}`];
  if (definition.details) parts.push(definition.details);
  if (definition.options.length > 0) parts.push(`${paint.bold("Options")}\n${optionLines(definition.options)}`);
  if (definition.examples.length > 0)
    parts.push(
      `${paint.bold("Examples")}\n${definition.examples.map(([words, line]) => `  ${paint.dim(`# ${words}`)}\n  ${line}`).join("\n")}`,
    );
  return `${parts.join("\n\n")}\n`;
}

export const optionHeading = ({ names, placeholder }: OptionDescription): string =>
  `${names.join(", ")}${placeholder ? ` <${placeholder}>` : ""}`;

function optionLines(options: OptionDescription[]): string {
  const width = Math.max(...options.map((option) => optionHeading(option).length));
  return options.map((option) => `  ${pad(optionHeading(option), width)}  ${option.description}`).join("\n");
}
