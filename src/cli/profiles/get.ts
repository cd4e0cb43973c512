import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProfilesGetCommand extends ServerCommand {
  static override paths = [["profiles", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Show one profile",
    details: "What stands in it is shown by `profiles export` alone.",
    examples: [["When it was kept last", "$0 profiles get alice"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const { profileTable } = await import("./show.ts");
    const profile = await (await this.client()).profiles.get(this.name);
    if (this.json) this.printJson(profile);
    else this.print(profileTable([profile], this.context.paint.stdout));
  }
}
