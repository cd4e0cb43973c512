import { Command } from "clipanion";
import type { Target } from "../tui/connection/session.ts";
import { HypeError } from "../contract/errors.ts";
import { oneOf } from "./arguments/quantities.ts";
import { API_MEANING, CATEGORY, connection, ServerCommand } from "./command.ts";
import { text } from "./option.ts";

const THEMES = ["dark", "light", "contrast", "none"] as const;

export class TuiCommand extends ServerCommand {
  static override paths = [["tui"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Open the terminal interface; `hype` alone does the same",
    examples: [
      ["On this machine's server", "$0 tui"],
      ["On another server, in light colours", "$0 tui --server https://browsers.example:7777 --theme light"],
    ],
  });

  override api = text("--api,--server", "url", API_MEANING);
  theme = text("--theme", "name", `Colours: ${THEMES.join(", ")}; else those of the terminal`);

  async execute(): Promise<void> {
    const { terminal, env } = this.context;
    const theme = this.theme === undefined ? null : oneOf("--theme", this.theme, THEMES);
    if (!terminal.stdin || !terminal.stdout)
      throw new HypeError("usage", "the terminal interface needs a terminal on standard input and output", {
        remedy: "`hype --help` names the commands for scripts.",
      });
    if (env.TERM === "dumb")
      throw new HypeError("usage", "TERM=dumb cannot move its cursor: the terminal interface needs more", {
        remedy: "Use a terminal that can, or the commands for scripts: `hype --help`.",
      });
    const config = await this.serverConfig();
    const { tuiSettingsFile } = await import("../config/user-paths.ts");
    const { runTui } = await import("../tui/start.ts");
    const { tuiCommands } = await import("./tui-commands.ts");
    const { serveInBackground } = await import("./serve-in-background.ts");
    const { runShell } = await import("./shell/attach.ts");
    let target: Target = { server: config.apiBase, key: config.apiKey };
    // A key goes to the server it was given for and to no other; it is kept as long as this runs.
    const keys = new Map(config.apiKey === null ? [] : [[config.apiBase, config.apiKey]]);
    const open = async ({ server, key = null }: Target) =>
      this.context.connect(await connection({ ...config, apiBase: server, apiKey: key }));
    await runTui({
      server: config.apiBase,
      connect: async (wanted) => {
        const { server, key = null } = wanted;
        if (key !== null) keys.set(server, key);
        target = { server, key: keys.get(server) ?? null };
        return await open(target);
      },
      refused: (server) => {
        if (keys.get(server) === config.apiKey) return; // that of this machine is not typed again
        keys.delete(server);
        if (target.server === server) target = { server, key: null };
      },
      serve: () => serveInBackground(config),
      shell: async (vm) => {
        const { stdin, stdout } = this.context;
        await runShell(await open(target), vm, [], { input: stdin, output: stdout }, this.context);
      },
      theme,
      plain: Boolean(env.NO_COLOR),
      commands: tuiCommands(this.context, () => target, open),
      cwd: this.context.cwd,
      settingsFile: tuiSettingsFile(env),
    });
  }
}
