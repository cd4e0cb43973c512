import { Command, Option } from "clipanion";
import { HypeError, messageOf } from "../../contract/errors.ts";
import { CATEGORY, readFully, resolvePath, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";

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
    const text = await this.read();
    let state: object;
    try {
      const { cookies, origins } = JSON.parse(text);
      state = { cookies, origins };
    } catch (thrown) {
      throw new HypeError("usage", `${this.file} is not JSON: ${messageOf(thrown)}`);
    }
    const client = await this.client();
    const done = await client.browser.operate(this.name, "import-state", { state, replace: this.replace });
    if (this.json) this.printJson(done);
    else this.print(`${done.cookies} cookies, ${done.origins} origins with storage\n`);
  }

  private async read(): Promise<string> {
    if (this.file === "-") return await readFully(this.context.stdin);
    try {
      return await Bun.file(resolvePath(this.context.cwd, this.file)).text();
    } catch (thrown) {
      throw new HypeError("usage", `${this.file} cannot be read: ${messageOf(thrown)}`);
    }
  }
}
