import { Command, Option } from "clipanion";
import { CATEGORY, resolvePath, ServerCommand, writeFully } from "../command.ts";
import { text } from "../option.ts";
import { writeOutput } from "../output/write-output.ts";

export class StateExportCommand extends ServerCommand {
  static override paths = [["state", "export"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Save a browser's cookies and storage in Playwright's storageState form",
    details: "The file holds logins: it is written for you alone (mode 0600).",
    examples: [["For another VM, or for Playwright", "$0 state export demo -o state.json"]],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default: standard output");

  async execute(): Promise<void> {
    const client = await this.client();
    const state = await client.browser.operate(this.name, "export-state", {});
    const data = new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`);
    if (this.output === undefined || this.output === "-") return await writeFully(this.context.stdout, data);
    await writeOutput(resolvePath(this.context.cwd, this.output), data, 0o600);
    const { cookies, origins } = state;
    if (this.json) this.printJson({ file: this.output, cookies: cookies.length, origins: origins.length });
    else this.print(`${this.output}  ${cookies.length} cookies, ${origins.length} origins with storage\n`);
  }
}
