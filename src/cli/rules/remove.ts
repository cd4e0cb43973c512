import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";

export class RulesRemoveCommand extends ServerCommand {
  static override paths = [["rules", "remove"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Remove rules for requests",
    examples: [
      ["One", "$0 rules remove demo 3"],
      ["All", "$0 rules remove demo --all"],
    ],
  });

  name = Option.String();
  ids = Option.Rest({ name: "id" });
  all = flag("--all", "All of them");

  async execute(): Promise<void> {
    if (this.all === this.ids.length > 0) throw new HypeError("usage", "name the rules to remove, or say --all");
    const client = await this.client();
    await client.browser.operate(this.name, "remove-rules", this.all ? {} : { ids: this.ids });
    if (this.json) this.printJson({});
    else this.print("removed\n");
  }
}
