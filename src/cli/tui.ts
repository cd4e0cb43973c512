import { Command } from "clipanion";
import { HypeError } from "../contract/errors.ts";
import { oneOf } from "./arguments/quantities.ts";
import { CATEGORY, connection, ServerCommand } from "./command.ts";
import { text } from "./option.ts";

const THEMES = ["dark", "light", "contrast", "none"] as const;

export class TuiCommand extends ServerCommand {
  static override paths = [["tui"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Open the terminal interface; `hype` alone does the same",
    examples: [
      ["On this machine's server", "$0 tui"],
      ["On another server, in light colours", "$0 tui --api https://browsers.example:7777 --theme light"],
    ],
  });

  theme = text("--theme", "name", `Colours: ${THEMES.join(", ")}; else those of the terminal`);

  async execute(): Promise<void> {
    const { terminal, env } = this.context;
    const theme = this.theme === undefined ? null : oneOf("--theme", this.theme, THEMES);
    if (!terminal.stdin || !terminal.stdout)
      throw new HypeError("usage", "the terminal interface needs a terminal on standard input and output", {
        remedy: "`hype --help` names the commands for scripts.",
      });
    const config = await this.serverConfig();
    const options = await connection(config);
    const { runTui } = await import("../tui/start.ts");
    const client = await this.context.connect(options);
    const plain = Boolean(env.NO_COLOR) || env.TERM === "dumb";
    const { tuiCommands } = await import("./tui-commands.ts");
    await runTui({
      client,
      server: options.base,
      theme: theme ?? (plain ? "none" : "dark"),
      commands: tuiCommands(this.context),
      cwd: this.context.cwd,
    });
  }
}
