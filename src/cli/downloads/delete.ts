import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { pick } from "./pick.ts";

export class DownloadsDeleteCommand extends ServerCommand {
  static override paths = [
    ["downloads", "delete"],
    ["downloads", "rm"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Delete downloads in a VM, with their files",
    details: "By id or file name. One that still arrives is cancelled.",
    examples: [["By name", "$0 downloads delete demo report.pdf"]],
  });

  name = Option.String();
  downloads = Option.Rest({ name: "download", required: 1 });

  async execute(): Promise<void> {
    const client = await this.client();
    for (const wanted of this.downloads) {
      const { id, name } = await pick(client, this.name, wanted);
      await client.browser.operate(this.name, "delete-download", { id });
      if (this.json) this.printJson({ id, name });
      else this.print(`${sanitizeLine(name)} is deleted\n`);
    }
  }
}
