import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class TabCloseCommand extends ServerCommand {
  static override paths = [["tab", "close"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Close a tab; the last one leaves an empty tab behind",
    examples: [["By the id of `hype tabs`", "$0 tab close demo 5F1C0D"]],
  });

  name = Option.String();
  id = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const closed = await client.browser.operate(this.name, "close-tab", { tab: this.id });
    if (this.json) this.printJson(closed);
    else this.print("closed\n");
  }
}
