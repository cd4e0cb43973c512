import { Command } from "clipanion";
import { CATEGORY, connection, ServerCommand, writeFully } from "../command.ts";
import { text } from "../option.ts";

export class McpCommand extends ServerCommand {
  static override paths = [["mcp"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Speak MCP on standard input and output, for AI clients",
    details: `
      What clients like Claude Code, Cursor or VS Code start. It passes every message on to the server, which must run (\`hype serve\`). What it has to say itself goes to standard error.

      With --vm the tools drive that one VM and take no \`vm\` argument.
    `,
    examples: [
      ["All VMs", "$0 mcp"],
      ["One browser", "$0 mcp --vm demo"],
      ["Every tool there is", "$0 mcp --tools all"],
    ],
  });

  vm = text("--vm", "name", "The VM the tools drive");
  tools = text("--tools", "groups", "What is listed: default, all, or groups, comma-separated");

  async execute(): Promise<void> {
    const { stdin, stdout, stderr } = this.context;
    const [{ Bridge }, config] = await Promise.all([import("./bridge.ts"), this.serverConfig()]);
    const { base, key, ca } = await connection(config);
    using interrupts = this.context.catchInterrupts();
    await new Bridge({
      url: mcpUrl(base, { vm: this.vm, tools: this.tools, client: `stdio-${crypto.randomUUID().slice(0, 8)}` }),
      key,
      ca,
      input: stdin,
      write: (line) => writeFully(stdout, `${line}\n`),
      note: (words) => void stderr.write(`hype mcp: ${words}\n`),
      signal: interrupts.signal,
    }).run();
  }
}

/** Where a server speaks MCP. */
export function mcpUrl(
  base: string,
  { vm, ...query }: { vm?: string | undefined; tools?: string | undefined; client?: string },
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  const path = vm === undefined ? "/mcp" : `/mcp/vms/${encodeURIComponent(vm)}`;
  return `${base.replace(/\/$/, "")}${path}${search && `?${search}`}`;
}
