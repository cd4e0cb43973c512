import { Command } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";

export class KeysListCommand extends ServerCommand {
  static override paths = [
    ["keys", "list"],
    ["keys", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "List API keys",
    details: "The admin key of this machine and OVERHYPED_API_KEY are not among them: they stand outside the database.",
  });

  all = flag("--all", "Revoked and expired ones, too");

  async execute(): Promise<void> {
    const { keyTable, stateOf } = await import("./show.ts");
    const { items } = await (await this.client()).keys.list();
    const keys = this.all ? items : items.filter((key) => stateOf(key) === "active");
    if (this.json) return this.printJson({ items: keys });
    if (keys.length === 0) return this.print("no keys; `hype keys create NAME` makes one\n");
    this.print(keyTable(keys, this.context.paint.stdout));
  }
}
