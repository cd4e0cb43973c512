/** Writes the pages of docs/ that are made from the code: cli.md, errors.md, configuration.md. A test keeps them true. */
import { join } from "node:path";
import { commandDefinitions, type CommandDefinition } from "../src/cli/definitions.ts";
import { optionHeading } from "../src/cli/help.ts";
import { ENVIRONMENT } from "../src/config/environment.ts";
import { ERRORS } from "../src/contract/errors.ts";
import { formatted } from "./formatted.ts";

const docs = join(import.meta.dir, "../docs");
const MADE_BY = "This page is made by `bun scripts/generate-docs.ts`.";
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function commandSection(definition: CommandDefinition): string {
  const parts = [
    `### hype ${definition.path.join(" ")}`,
    `${definition.description}.`,
    `\`\`\`text\n${definition.usage}\n\`\`\``,
    definition.details,
  ];
  const own = definition.options.filter(({ names }) => !["--json", "--api", "--key"].includes(names[0] ?? ""));
  if (own.length > 0) {
    const rows = own.map((option) => `| \`${optionHeading(option)}\` | ${cell(option.description)} |`);
    parts.push(`| option | meaning |\n| --- | --- |\n${rows.join("\n")}`);
  }
  const examples = definition.examples.map(([words, line]) => `# ${words}\n${line}`).join("\n");
  if (examples !== "") parts.push(`\`\`\`sh\n${examples}\n\`\`\``);
  return parts.filter((part) => part !== "").join("\n\n");
}

function cliPage(): string {
  const definitions = commandDefinitions();
  const categories = [...new Set(definitions.map(({ category }) => category))];
  const sections = categories.map((category) => {
    const members = definitions.filter((definition) => definition.category === category);
    return `## ${category}\n\n${members.map(commandSection).join("\n\n")}`;
  });
  return `# The command line

\`hype <command> --help\` shows the same. ${MADE_BY}

## Everywhere

| option | meaning |
| --- | --- |
| \`--json\` | JSON on standard output, one value a line; errors as problem documents on standard error |
| \`--api <url>\` | The server, for commands that talk to one; else \`OVERHYPED_API_BASE\`, else \`http://127.0.0.1:7777\` |
| \`--key <key>\` | The key to send; else \`OVERHYPED_API_KEY\`, else the admin key of this machine (sent to loopback addresses and the address in \`OVERHYPED_API_LISTEN\` only). Other users of a machine can see command lines: prefer the variable |
| \`-h\`, \`--help\` | Help on a command |

Results go to standard output, progress and errors to standard error. Colours appear on a terminal only, and never with
\`NO_COLOR\` set. What pages and guests say is shown on a terminal with its control characters made visible; pipes get it exactly.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed: the message says why and what to do |
| 2 | the command line or a setting is wrong |
| 3 | no server answers |
| 130 | interrupted, and tidied up |

${sections.join("\n\n")}
`;
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, row]) =>
      `| <a id="${code}"></a>\`${code}\` | ${cell(row.title)} | ${row.status} | ${row.exit} | ${cell(row.remedy)} |`,
  );
  return `# Errors

Every error has a stable \`code\`. Over HTTP it stands in a problem document (RFC 9457, \`application/problem+json\`), on the command
line in \`error[code]: message\`, or with \`--json\` in the same document on standard error. ${MADE_BY}

| code | what it says | HTTP status | exit code | what to do |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function configurationPage(): string {
  const rows = Object.entries(ENVIRONMENT).map(
    ([name, { meaning, fallback }]) => `| \`${name}\` | ${cell(meaning)} | ${cell(fallback)} |`,
  );
  return `# Configuration

Settings are environment variables. A wrong or unknown \`OVERHYPED_*\` variable is refused at start, by name and with what was
expected; an empty one counts as not set. ${MADE_BY}

| variable | meaning | default |
| --- | --- | --- |
${rows.join("\n")}
`;
}

/** Path below docs/ -> text. */
export async function renderDocs(): Promise<Record<string, string>> {
  const pages = { "cli.md": cliPage(), "errors.md": errorsPage(), "configuration.md": configurationPage() };
  const entries = Object.entries(pages).map(async ([name, text]) => [name, await formatted(name, text)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

if (import.meta.main)
  for (const [name, text] of Object.entries(await renderDocs())) await Bun.write(join(docs, name), text);
