import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProfilesDeleteCommand extends ServerCommand {
  static override paths = [
    ["profiles", "delete"],
    ["profiles", "rm"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Delete a profile",
    details: "VMs that run keep what they were given; one that was made with it cannot be started again without it.",
    examples: [["By name", "$0 profiles delete alice"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    await (await this.client()).profiles.delete(this.name);
    if (this.json) this.printJson({ name: this.name, deleted: true });
    else this.print(`${this.name} is deleted\n`);
  }
}
