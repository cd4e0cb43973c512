import { Command, Option } from "clipanion";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";
import { mcpUrl } from "./run.ts";
import { type Snippet, SNIPPETS } from "./snippets.ts";

const NAMES = Object.keys(SNIPPETS);

export class McpConfigCommand extends ServerCommand {
  static override paths = [["mcp", "config"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Print what an AI client needs to use this server",
    details: `
      Without a client: those that are known. Nothing is written; no key stands in what is printed, since \`hype mcp\` finds the one of this machine.
    `,
    examples: [
      ["Claude Code", "$0 mcp config claude"],
      ["Cursor, for one browser", "$0 mcp config cursor --vm demo"],
    ],
  });

  wanted = Option.String({ name: "client", required: false });
  vm = text("--vm", "name", "The VM the tools drive");
  tools = text("--tools", "groups", "What is listed: default, all, or groups, comma-separated");

  async execute(): Promise<void> {
    if (this.wanted === undefined) return this.#list();
    const client = oneOf("client", this.wanted, NAMES);
    const snippet = SNIPPETS[client] as Snippet;
    const { apiBase } = await this.serverConfig();
    const { vm, tools } = this;
    const config = snippet.make({ vm, tools, program: programName(), url: mcpUrl(apiBase, { vm, tools }) });
    if (this.json) return this.printJson({ client, where: snippet.where, config });
    this.context.stderr.write(`${snippet.title}: ${snippet.where}\n`);
    this.print(`${config}\n`);
  }

  #list(): void {
    if (this.json) return this.printJson({ clients: NAMES });
    for (const [name, { title }] of Object.entries(SNIPPETS)) this.print(`${name.padEnd(16)}${title}\n`);
  }
}

/** The program itself where it is compiled: a client's PATH may be another than the shell's. */
const programName = (): string => (Bun.isStandaloneExecutable ? process.execPath : "hype");
