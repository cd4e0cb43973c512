import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";

export class TabsCommand extends ServerCommand {
  static override paths = [["tabs"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the tabs open in a VM's browser",
    examples: [["Ids for --tab", "$0 tabs demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const tabs = await client.browser.tabs(this.name);
    if (this.json) return this.printJson(tabs);
    if (tabs.items.length === 0) return this.print("no tabs\n");
    this.print(
      table(
        [
          { title: "ID", value: (tab) => tab.id },
          { title: "TITLE", value: (tab) => shorten(tab.title, 60) },
          { title: "URL", value: (tab) => shorten(tab.url, 100) },
        ],
        tabs.items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
