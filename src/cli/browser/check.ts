import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY } from "../command.ts";
import { flag } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class CheckCommand extends TabCommand {
  static override paths = [["check"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Check a box or choose a radio button",
    examples: [
      ["Check", "$0 check demo e12"],
      ["Uncheck", "$0 check demo e12 --off"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  off = flag("--off", "Uncheck it");

  async execute(): Promise<void> {
    const client = await this.client();
    const body = { ...element(this.target), checked: !this.off, ...this.onTab() };
    this.tellPage(await client.browser.operate(this.name, "check", body));
  }
}
