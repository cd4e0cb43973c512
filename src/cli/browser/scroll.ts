import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { pixels } from "../arguments/place.ts";
import { CATEGORY } from "../command.ts";
import { HypeError } from "../../contract/errors.ts";
import { text } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class ScrollCommand extends TabCommand {
  static override paths = [["scroll"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Turn the wheel over a page or an element, or bring an element into view",
    examples: [
      ["Down the page", "$0 scroll demo --down 800"],
      ["A list of its own", "$0 scroll demo e12 --down 300"],
      ["Into view", "$0 scroll demo 'text=Imprint'"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element", required: false });
  down = text("--down", "pixels", "CSS pixels down; --down=-300 is up");
  right = text("--right", "pixels", "CSS pixels to the right");

  async execute(): Promise<void> {
    const body = {
      ...(this.target === undefined ? {} : element(this.target)),
      ...(this.down === undefined ? {} : { dy: pixels("--down", this.down) }),
      ...(this.right === undefined ? {} : { dx: pixels("--right", this.right) }),
    };
    if (Object.keys(body).length === 0)
      throw new HypeError("usage", "say how far (--down, --right), or name an element");
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "scroll", { ...body, ...this.onTab() }));
  }
}
