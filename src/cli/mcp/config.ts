import { Command, Option } from "clipanion";
import { type Config, loadConfig } from "../../config/load.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, isThisMachine, ServerCommand } from "../command.ts";
import { text } from "../option.ts";
import { mcpUrl } from "./run.ts";
import { type Snippet, SNIPPETS, type Wanted } from "./snippets.ts";

const NAMES = Object.keys(SNIPPETS);

export class McpConfigCommand extends ServerCommand {
  static override paths = [["mcp", "config"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Print what an AI client needs to use this server",
    details: `
      Without a client: those that are known. Nothing is written, and no key stands in what is printed: \`hype mcp\` finds the server of this machine and its key by itself. For another server its address is printed, and KEY where a key of it goes.
    `,
    examples: [
      ["Claude Code", "$0 mcp config claude"],
      ["Cursor, for one browser", "$0 mcp config cursor --vm demo"],
      ["VS Code, with a server elsewhere", "$0 mcp config vscode --api https://hype.example.com"],
    ],
  });

  wanted = Option.String({ name: "client", required: false });
  vm = text("--vm", "name", "The VM the tools drive");
  tools = text("--tools", "groups", "What is listed: default, all, or groups, comma-separated");

  async execute(): Promise<void> {
    if (this.wanted === undefined) return this.#list();
    const client = oneOf("client", this.wanted, NAMES);
    const snippet = SNIPPETS[client] as Snippet;
    const config = await this.serverConfig();
    const { HOME } = this.context.env;
    const { api, env } = elsewhere(config, loadConfig(HOME === undefined ? {} : { HOME }));
    const { vm, tools } = this;
    const url = mcpUrl(config.apiBase, { vm, tools, client: "NAME" });
    const printed = snippet.make({ vm, tools, program: programName(), url, api, env });
    const hint = printed.includes("OVERHYPED_API_KEY") ? "; put a key of that server in place of KEY" : "";
    const where = `${snippet.where}${hint}`;
    if (this.json) return this.printJson({ client, where, config: printed });
    this.context.stderr.write(`${snippet.title}: ${where}\n`);
    this.print(`${printed}\n`);
  }

  #list(): void {
    if (this.json) return this.printJson({ clients: NAMES });
    for (const [name, { title }] of Object.entries(SNIPPETS)) this.print(`${name.padEnd(16)}${title}\n`);
  }
}

/**
 * What `hype mcp` must be told of a server and a key that it does not find by itself. A key is named, never printed.
 * @param itself what it finds without the settings of this shell
 */
function elsewhere(config: Config, itself: Config): Pick<Wanted, "api" | "env"> {
  const { apiBase, apiKey, apiCa, home } = config;
  const isElsewhere = apiBase !== itself.apiBase;
  const isKeyAsked = isElsewhere && (!isThisMachine(config) || apiKey !== null);
  const isKeyHere = !isKeyAsked && isThisMachine(config) && home !== itself.home;
  const { protocol } = new URL(apiBase);
  return {
    api: isElsewhere ? apiBase : undefined,
    env: {
      ...(isKeyAsked && { OVERHYPED_API_KEY: "KEY" }),
      ...(isKeyHere && { OVERHYPED_HOME: home }),
      ...(protocol === "https:" && apiCa !== null && apiCa !== itself.apiCa && { OVERHYPED_API_CA: apiCa }),
    },
  };
}

/** The program itself where it is compiled: a client's PATH may be another than the shell's. */
const programName = (): string => (Bun.isStandaloneExecutable ? process.execPath : "hype");
