import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";

export class LiveListCommand extends ServerCommand {
  static override paths = [
    ["live", "list"],
    ["live", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the live links of a VM",
    examples: [["Those that are over, too", "$0 live list demo --all"]],
  });

  name = Option.String();
  all = flag("--all", "Revoked and expired ones, too");

  async execute(): Promise<void> {
    const { linkTable, stateOf } = await import("./show.ts");
    const { items } = await (await this.client()).live.links(this.name);
    const links = this.all ? items : items.filter((link) => stateOf(link) === "active");
    if (this.json) return this.printJson({ items: links });
    if (links.length === 0) return this.print(`no live links; \`hype live ${this.name}\` makes one\n`);
    this.print(linkTable(links, this.context.paint.stdout));
  }
}
