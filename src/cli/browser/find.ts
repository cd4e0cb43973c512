import { Command, Option } from "clipanion";
import { CATEGORY } from "../command.ts";
import { flag } from "../option.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";
import { TabCommand } from "./tab-command.ts";

export class FindCommand extends TabCommand {
  static override paths = [["find"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Find elements of a page by their text",
    examples: [
      ["Words, any case", "$0 find demo checkout"],
      ["A regular expression", "$0 find demo --regex 'order \\d+'"],
    ],
  });

  name = Option.String();
  wanted = Option.String({ name: "text" });
  regex = flag("--regex", "The text is a regular expression");

  async execute(): Promise<void> {
    const client = await this.client();
    const what = this.regex ? { regex: this.wanted } : { text: this.wanted };
    const found = await client.browser.operate(this.name, "find", { ...what, ...this.onTab() });
    if (this.json) return this.printJson(found);
    if (found.items.length === 0) return this.print("nothing found\n");
    this.print(
      table(
        [
          { title: "REF", value: (item) => item.ref },
          { title: "ROLE", value: (item) => item.role ?? "" },
          { title: "TEXT", value: (item) => shorten(item.text || item.name, 100) },
        ],
        found.items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
