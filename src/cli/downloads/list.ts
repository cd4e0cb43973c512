import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";
import { age, bytes } from "../../text/units.ts";

export class DownloadsListCommand extends ServerCommand {
  static override paths = [
    ["downloads", "list"],
    ["downloads", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the downloads of a VM's browser",
    examples: [["With sizes and states", "$0 downloads list demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const { items } = await (await this.client()).browser.operate(this.name, "list-downloads", {});
    if (this.json) return this.printJson({ items });
    if (items.length === 0) return this.print("no downloads\n");
    this.print(
      table(
        [
          { title: "ID", value: ({ id }) => id.slice(0, 8) },
          { title: "STATE", value: ({ state }) => state.replace("_", " ") },
          {
            title: "SIZE",
            value: ({ received_bytes: got, total_bytes: of }) =>
              of !== null && of > got ? `${bytes(got)} of ${bytes(of)}` : bytes(got),
            align: "right",
          },
          { title: "AGE", value: ({ started_at }) => age(new Date(started_at).toISOString()), align: "right" },
          { title: "NAME", value: ({ name, error }) => shorten(error === null ? name : `${name} (${error})`, 120) },
        ],
        items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
