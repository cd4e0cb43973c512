import { Command, Option } from "clipanion";
import { CATEGORY } from "../command.ts";
import { TabCommand } from "./tab-command.ts";

export class SnapshotCommand extends TabCommand {
  static override paths = [["snapshot"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print what a page offers: its accessibility tree, with refs to act on",
    details:
      "A ref such as e7 is good for as long as the document lives. `hype click` and its siblings take refs and selectors.",
    examples: [["Look, then click", "$0 snapshot demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const page = await client.browser.operate(this.name, "snapshot", this.onTab());
    if (this.json) return this.printJson(page);
    await this.printForeign(page.yaml.endsWith("\n") ? page.yaml : `${page.yaml}\n`);
  }
}
