import { Command, Option } from "clipanion";
import { CATEGORY } from "../command.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";
import { TabCommand } from "./tab-command.ts";

export class LinksCommand extends TabCommand {
  static override paths = [["links"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the links of a page",
    examples: [["With refs to click", "$0 links demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const links = await client.browser.operate(this.name, "links", this.onTab());
    if (this.json) return this.printJson(links);
    if (links.items.length === 0) return this.print("no links\n");
    this.print(
      table(
        [
          { title: "REF", value: (link) => link.ref },
          { title: "TEXT", value: (link) => shorten(link.text, 60) },
          { title: "URL", value: (link) => shorten(link.url, 120) },
        ],
        links.items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
