/** Everything a snippet is made of. */
export type Wanted = { vm: string | undefined; tools: string | undefined; program: string; url: string };

export type Snippet = {
  title: string;
  /** Where it goes. */
  where: string;
  make(wanted: Wanted): string;
};

const args = ({ vm, tools }: Wanted): string[] => [
  "mcp",
  ...(vm === undefined ? [] : ["--vm", vm]),
  ...(tools === undefined ? [] : ["--tools", tools]),
];
const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);
/** The form most clients share. */
const mcpServers = (wanted: Wanted): string =>
  pretty({ mcpServers: { overhyped: { command: wanted.program, args: args(wanted) } } });

/** Known clients, by the name their users know, with the place their own docs name. */
export const SNIPPETS: Record<string, Snippet> = {
  claude: {
    title: "Claude Code",
    where: "run this",
    make: (wanted) =>
      ["claude", "mcp", "add", "overhyped", "--", wanted.program, ...args(wanted)].map(quoted).join(" "),
  },
  "claude-desktop": {
    title: "Claude Desktop",
    where: "claude_desktop_config.json (Settings, Developer, Edit Config)",
    make: mcpServers,
  },
  codex: {
    title: "Codex",
    where: "~/.codex/config.toml",
    make: (wanted) =>
      `[mcp_servers.overhyped]\ncommand = ${JSON.stringify(wanted.program)}\nargs = ${JSON.stringify(args(wanted))}`,
  },
  cursor: { title: "Cursor", where: ".cursor/mcp.json, or ~/.cursor/mcp.json", make: mcpServers },
  gemini: { title: "Gemini CLI", where: "~/.gemini/settings.json", make: mcpServers },
  opencode: {
    title: "opencode",
    where: "opencode.json",
    make: (wanted) =>
      pretty({ mcp: { overhyped: { type: "local", command: [wanted.program, ...args(wanted)], enabled: true } } }),
  },
  vscode: {
    title: "VS Code",
    where: ".vscode/mcp.json",
    make: (wanted) =>
      pretty({ servers: { overhyped: { type: "stdio", command: wanted.program, args: args(wanted) } } }),
  },
  windsurf: { title: "Windsurf", where: "~/.codeium/windsurf/mcp_config.json", make: mcpServers },
  zed: {
    title: "Zed",
    where: "settings.json",
    make: (wanted) =>
      pretty({ context_servers: { overhyped: { command: wanted.program, args: args(wanted), env: {} } } }),
  },
  http: {
    title: "any client that speaks Streamable HTTP",
    where: "its settings; put a key of `hype keys create` in place of KEY",
    make: ({ url }) =>
      pretty({ mcpServers: { overhyped: { type: "http", url, headers: { Authorization: "Bearer KEY" } } } }),
  },
};
