import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";
import { readState } from "./read-state.ts";

export class StateImportCommand extends ServerCommand {
  static override paths = [["state", "import"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Give a browser the cookies and storage of a storageState file",
    details: "All or nothing: a state with a bad cookie is refused, each named. - reads standard input.",
    examples: [["Logged in at once", "$0 state import demo state.json"]],
  });

  name = Option.String();
  file = Option.String();
  replace = flag("--replace", "Clear cookies and storage first");

  async execute(): Promise<void> {
    const state = await readState(this.file, this.context);
    const client = await this.client();
    const done = await client.browser.operate(this.name, "import-state", { state, replace: this.replace });
    if (this.json) this.printJson(done);
    else this.print(`${done.cookies} cookies, ${done.origins} origins with storage\n`);
  }
}
