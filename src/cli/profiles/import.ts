import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";
import { readState } from "../state/read-state.ts";

export class ProfilesImportCommand extends ServerCommand {
  static override paths = [["profiles", "import"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Make a profile from a storageState file of hype or Playwright",
    details: "All or nothing: a state with a bad cookie is refused, each named. - reads standard input.",
    examples: [["From another machine", "$0 profiles import alice alice.json"]],
  });

  name = Option.String();
  file = Option.String();
  replace = flag("--replace", "Put it in the place of the profile's content");

  async execute(): Promise<void> {
    const { contentOf } = await import("./show.ts");
    const state = await readState(this.file, this.context);
    const client = await this.client();
    const kept = await client.profiles.import(this.name, { state, replace: this.replace });
    if (this.json) return this.printJson(kept);
    const expired = kept.expired > 0 ? `; ${kept.expired} cookies were over and are left out` : "";
    this.print(`${kept.name}  ${contentOf(kept)}${expired}\n`);
  }
}
