import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

export class TabUseCommand extends ServerCommand {
  static override paths = [["tab", "use"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Bring a tab to the front: commands without --tab use it from now on",
    examples: [["By the id of `hype tabs`", "$0 tab use demo 5F1C0D"]],
  });

  name = Option.String();
  id = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const tab = await client.browser.operate(this.name, "activate-tab", { tab: this.id });
    if (this.json) this.printJson(tab);
    else this.print(`${sanitizeLine(tab.title || tab.url)}\n`);
  }
}
