import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

export class UploadsDeleteCommand extends ServerCommand {
  static override paths = [
    ["uploads", "delete"],
    ["uploads", "rm"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Delete files that were put into a VM",
    examples: [["By name", "$0 uploads delete demo photo.jpg"]],
  });

  name = Option.String();
  uploads = Option.Rest({ name: "upload", required: 1 });

  async execute(): Promise<void> {
    const client = await this.client();
    for (const name of this.uploads) {
      await client.browser.operate(this.name, "delete-upload", { name });
      if (this.json) this.printJson({ name });
      else this.print(`${sanitizeLine(name)} is deleted\n`);
    }
  }
}
