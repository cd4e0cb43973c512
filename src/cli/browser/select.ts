import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY } from "../command.ts";
import { TabCommand } from "./tab-command.ts";

export class SelectCommand extends TabCommand {
  static override paths = [["select"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Choose options of a select, by value or label",
    examples: [["One", "$0 select demo '#country' Germany"]],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  values = Option.Rest({ name: "value", required: 1 });

  async execute(): Promise<void> {
    const client = await this.client();
    const body = { ...element(this.target), values: this.values, ...this.onTab() };
    this.tellPage(await client.browser.operate(this.name, "select", body));
  }
}
