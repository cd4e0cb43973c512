import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY } from "../command.ts";
import { flag, text } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class ClickCommand extends TabCommand {
  static override paths = [["click"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Click an element, once it can be clicked",
    details: 'The element is a ref of `hype snapshot` or a selector: CSS, `text=words`, `role=button[name="Go"]`.',
    examples: [
      ["By ref", "$0 click demo e7"],
      ["By its words", "$0 click demo 'text=Sign in'"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  button = text("--button", "button", "left, middle or right; default left");
  double = flag("--double", "Double click");

  async execute(): Promise<void> {
    const body = {
      ...element(this.target),
      ...(this.button === undefined ? {} : { button: oneOf("--button", this.button, ["left", "middle", "right"]) }),
      ...(this.double ? { count: 2 } : {}),
      ...this.onTab(),
    };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "click", body));
  }
}
