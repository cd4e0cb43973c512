import { Command, Option } from "clipanion";
import { placeOrElement } from "../arguments/place.ts";
import { CATEGORY } from "../command.ts";
import { TabCommand } from "./tab-command.ts";

export class DragCommand extends TabCommand {
  static override paths = [["drag"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Drag an element onto another, or to a place",
    details: "Both are a ref of `hype snapshot`, a selector, or `x,y` in CSS pixels of the viewport.",
    examples: [
      ["A card into a column", "$0 drag demo e7 e12"],
      ["A slider", "$0 drag demo '#knob' 240,80"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  to = Option.String({ name: "to" });

  async execute(): Promise<void> {
    const body = { ...placeOrElement(this.target), to: placeOrElement(this.to), ...this.onTab() };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "drag", body));
  }
}
