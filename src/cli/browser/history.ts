import { Command, type CommandClass, Option } from "clipanion";
import { CATEGORY } from "../command.ts";
import type { CliContext } from "../context.ts";
import { TabCommand } from "./tab-command.ts";

/** Moves in a tab's history: three commands of one shape. */
const historyCommand = (operation: "back" | "forward" | "reload", description: string): CommandClass<CliContext> =>
  class extends TabCommand {
    static override paths = [[operation]];
    static override usage = Command.Usage({
      category: CATEGORY.browser,
      description,
      examples: [[description, `$0 ${operation} demo`]],
    });

    name = Option.String();

    async execute(): Promise<void> {
      const client = await this.client();
      this.tellPage(await client.browser.operate(this.name, operation, this.onTab()));
    }
  };

export const BackCommand = historyCommand("back", "Go back in the tab's history");
export const ForwardCommand = historyCommand("forward", "Go forward in the tab's history");
export const ReloadCommand = historyCommand("reload", "Reload the page");
