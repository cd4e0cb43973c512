import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY } from "../command.ts";
import { TabCommand } from "./tab-command.ts";

export class FocusCommand extends TabCommand {
  static override paths = [["focus"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Give an element the focus",
    examples: [["Before keys are pressed", "$0 focus demo '#search'"]],
  });

  name = Option.String();
  target = Option.String({ name: "element" });

  async execute(): Promise<void> {
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "focus", { ...element(this.target), ...this.onTab() }));
  }
}
