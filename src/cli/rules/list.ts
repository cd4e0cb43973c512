import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";

export class RulesListCommand extends ServerCommand {
  static override paths = [["rules", "list"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the rules for requests, in the order they are looked at",
    examples: [["And how often each acted", "$0 rules list demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const rules = await client.browser.operate(this.name, "list-rules", {});
    if (this.json) return this.printJson(rules);
    if (rules.items.length === 0) return this.print("no rules\n");
    this.print(
      table(
        [
          { title: "ID", value: (rule) => rule.id },
          { title: "ACTION", value: (rule) => rule.action },
          { title: "URL", value: (rule) => shorten(rule.url, 80) },
          { title: "TYPES", value: (rule) => rule.resource_types?.join(",") ?? "all" },
          { title: "HITS", value: (rule) => String(rule.hits) },
        ],
        rules.items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
