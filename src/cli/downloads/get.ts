import { Command, Option } from "clipanion";
import { CATEGORY } from "../command.ts";
import { pick } from "./pick.ts";
import { SaveCommand } from "./save-command.ts";

export class DownloadsGetCommand extends SaveCommand {
  static override paths = [["downloads", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Save a download of a VM's browser on this machine",
    details: "By id or file name; default: the newest. One that still arrives is followed to its end.",
    examples: [
      ["The newest, under its own name", "$0 downloads get demo"],
      ["Another, elsewhere", "$0 downloads get demo report.pdf -o /tmp/report.pdf"],
    ],
  });

  name = Option.String();
  download = Option.String({ required: false });

  async execute(): Promise<void> {
    using interrupts = this.context.catchInterrupts();
    const client = await this.client();
    await this.save(client, this.name, await pick(client, this.name, this.download), interrupts.signal);
  }
}
