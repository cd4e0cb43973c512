import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY } from "../command.ts";
import { TabCommand } from "./tab-command.ts";

export class HoverCommand extends TabCommand {
  static override paths = [["hover"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Move the mouse over an element",
    examples: [["Open a menu", "$0 hover demo 'text=Products'"]],
  });

  name = Option.String();
  target = Option.String({ name: "element" });

  async execute(): Promise<void> {
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "hover", { ...element(this.target), ...this.onTab() }));
  }
}
