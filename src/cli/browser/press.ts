import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY } from "../command.ts";
import { text } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class PressCommand extends TabCommand {
  static override paths = [["press"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Press a key or a chord where the focus is",
    examples: [
      ["A key", "$0 press demo Enter"],
      ["A chord, in a field", "$0 press demo Control+A --on e3"],
    ],
  });

  name = Option.String();
  pressed = Option.String({ name: "keys" });
  on = text("--on", "element", "Focus this element first: a ref or a selector");

  async execute(): Promise<void> {
    const body = { key: this.pressed, ...(this.on === undefined ? {} : element(this.on)), ...this.onTab() };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "press", body));
  }
}
