/** Everything a snippet is made of. */
export type Wanted = {
  vm: string | undefined;
  tools: string | undefined;
  program: string;
  /** Where the server speaks MCP. */
  url: string;
  /** The server, where it is not the one `hype mcp` finds by itself: clients start it without the settings of a shell. */
  api: string | undefined;
  /** What it then needs in its environment. */
  env: Record<string, string>;
};

export type Snippet = {
  title: string;
  /** Where it goes. */
  where: string;
  make(wanted: Wanted): string;
};

const args = ({ vm, tools, api }: Wanted): string[] => [
  "mcp",
  ...(api === undefined ? [] : ["--api", api]),
  ...(vm === undefined ? [] : ["--vm", vm]),
  ...(tools === undefined ? [] : ["--tools", tools]),
];
const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);
/** The form most clients share. */
const started = (wanted: Wanted) => ({
  command: wanted.program,
  args: args(wanted),
  ...(Object.keys(wanted.env).length > 0 && { env: wanted.env }),
});
const mcpServers = (wanted: Wanted): string => pretty({ mcpServers: { overhyped: started(wanted) } });
const settings = ({ env }: Wanted): [string, string][] => Object.entries(env);

/** Known clients, by the name their users know, with the place their own docs name. */
export const SNIPPETS: Record<string, Snippet> = {
  claude: {
    title: "Claude Code",
    where: "run this",
    make: (wanted) =>
      [
        ...["claude", "mcp", "add", "overhyped"],
        ...settings(wanted).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
        ...["--", wanted.program, ...args(wanted)],
      ]
        .map(quoted)
        .join(" "),
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
      [
        "[mcp_servers.overhyped]",
        `command = ${JSON.stringify(wanted.program)}`,
        `args = ${JSON.stringify(args(wanted))}`,
        ...(settings(wanted).length > 0
          ? [
              "",
              "[mcp_servers.overhyped.env]",
              ...settings(wanted).map(([name, it]) => `${name} = ${JSON.stringify(it)}`),
            ]
          : []),
      ].join("\n"),
  },
  cursor: { title: "Cursor", where: ".cursor/mcp.json, or ~/.cursor/mcp.json", make: mcpServers },
  gemini: { title: "Gemini CLI", where: "~/.gemini/settings.json", make: mcpServers },
  opencode: {
    title: "opencode",
    where: "opencode.json",
    make: (wanted) =>
      pretty({
        mcp: {
          overhyped: {
            type: "local",
            command: [wanted.program, ...args(wanted)],
            enabled: true,
            ...(settings(wanted).length > 0 && { environment: wanted.env }),
          },
        },
      }),
  },
  vscode: {
    title: "VS Code",
    where: ".vscode/mcp.json",
    make: (wanted) => pretty({ servers: { overhyped: { type: "stdio", ...started(wanted) } } }),
  },
  windsurf: { title: "Windsurf", where: "~/.codeium/windsurf/mcp_config.json", make: mcpServers },
  zed: {
    title: "Zed",
    where: "settings.json",
    make: (wanted) => pretty({ context_servers: { overhyped: { env: {}, ...started(wanted) } } }),
  },
  http: {
    title: "any client that speaks Streamable HTTP",
    where:
      "its settings; put a key of `hype keys create` in place of KEY, and another name after `client` for each client",
    make: ({ url }) =>
      pretty({ mcpServers: { overhyped: { type: "http", url, headers: { Authorization: "Bearer KEY" } } } }),
  },
};
