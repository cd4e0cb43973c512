import { Command } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProfilesListCommand extends ServerCommand {
  static override paths = [
    ["profiles", "list"],
    ["profiles", "ls"],
  ];
  static override usage = Command.Usage({ category: CATEGORY.browser, description: "List profiles" });

  async execute(): Promise<void> {
    const { profileTable } = await import("./show.ts");
    const { items } = await (await this.client()).profiles.list();
    if (this.json) return this.printJson({ items });
    if (items.length === 0) return this.print("no profiles; `hype profiles save VM --as NAME` makes one\n");
    this.print(profileTable(items, this.context.paint.stdout));
  }
}
