import { Command } from "clipanion";
import { CATEGORY, HypeCommand } from "../command.ts";
import { table } from "../output/table.ts";
import { bytes } from "../../text/units.ts";
import { openImages } from "./room.ts";

export class ImageListCommand extends HypeCommand {
  static override paths = [
    ["image", "list"],
    ["image", "ls"],
  ];
  static override usage = Command.Usage({ category: CATEGORY.image, description: "List the images of this machine" });

  async execute(): Promise<void> {
    const images = await openImages(await this.config());
    const items = await images.list();
    if (this.json) return this.printJson({ items });
    if (items.length === 0) return this.print("no images; `hype image build` makes one\n");
    const paint = this.context.paint.stdout;
    this.print(
      table(
        [
          { title: "ID", value: (image) => image.id },
          { title: "DEFAULT", value: (image) => (image.is_default ? "yes" : "") },
          { title: "FORMAT", value: (image) => image.format },
          { title: "CHROMIUM", value: (image) => image.chromium_version },
          { title: "KERNEL", value: (image) => image.kernel_version },
          { title: "AGENT", value: (image) => image.agent_version },
          { title: "SIZE", value: (image) => bytes(image.bytes), align: "right" },
        ],
        items,
        paint.bold,
      ),
    );
  }
}
