import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";
import { age, bytes } from "../../text/units.ts";

export class UploadsListCommand extends ServerCommand {
  static override paths = [
    ["uploads", "list"],
    ["uploads", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the files that were put into a VM",
    examples: [["With their sizes", "$0 uploads list demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const { items } = await (await this.client()).browser.operate(this.name, "list-uploads", {});
    if (this.json) return this.printJson({ items });
    if (items.length === 0) return this.print("no uploads\n");
    this.print(
      table(
        [
          { title: "SIZE", value: (upload) => bytes(upload.bytes), align: "right" },
          { title: "AGE", value: (upload) => age(new Date(upload.uploaded_at).toISOString()), align: "right" },
          { title: "NAME", value: ({ name }) => shorten(name, 120) },
        ],
        items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
