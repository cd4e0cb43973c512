import { Command } from "clipanion";
import { VERSION } from "../contract/version.ts";
import { CATEGORY, HypeCommand } from "./command.ts";

/** `hype version` alone is answered by main.ts before clipanion is loaded; this one knows --json. */
export class VersionCommand extends HypeCommand {
  static override paths = [["version"], ["--version"]];
  static override usage = Command.Usage({ category: CATEGORY.host, description: "Print the version" });

  async execute(): Promise<void> {
    if (this.json) this.printJson({ version: VERSION, bun: Bun.version });
    else this.print(`hype ${VERSION}\n`);
  }
}
