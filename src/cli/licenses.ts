import { Command } from "clipanion";
import { CATEGORY, HypeCommand, writeFully } from "./command.ts";

export class LicensesCommand extends HypeCommand {
  static override paths = [["licenses"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Print the licences of hype and of everything inside it",
  });

  async execute(): Promise<void> {
    const { default: license } = await import("../../LICENSE", { with: { type: "text" } });
    const { default: notices } = await import("../../THIRD_PARTY_NOTICES.md", { with: { type: "text" } });
    if (this.json) this.printJson({ license, third_party: notices });
    else await writeFully(this.context.stdout, `${license.trimEnd()}\n\n${notices}`);
  }
}
