import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY } from "../command.ts";
import { flag, text, texts } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

const MODIFIERS = ["Alt", "Control", "Meta", "Shift", "ControlOrMeta"] as const;

export class ClickCommand extends TabCommand {
  static override paths = [["click"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Click an element, once it can be clicked",
    details: 'The element is a ref of `hype snapshot` or a selector: CSS, `text=words`, `role=button[name="Go"]`.',
    examples: [
      ["By ref", "$0 click demo e7"],
      ["Into a new tab", "$0 click demo e7 --modifier Control"],
      ["By its words", "$0 click demo 'text=Sign in'"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  button = text("--button", "button", "left, middle or right; default left");
  double = flag("--double", "Double click");
  modifiers = texts("--modifier", "key", `Held meanwhile: ${MODIFIERS.join(", ")}; can be given several times`);

  async execute(): Promise<void> {
    const body = {
      ...element(this.target),
      ...(this.button === undefined ? {} : { button: oneOf("--button", this.button, ["left", "middle", "right"]) }),
      ...(this.double ? { count: 2 } : {}),
      ...(this.modifiers.length === 0
        ? {}
        : { modifiers: this.modifiers.map((key) => oneOf("--modifier", key, MODIFIERS)) }),
      ...this.onTab(),
    };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "click", body));
  }
}
