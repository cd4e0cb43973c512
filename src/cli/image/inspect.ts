import { Command, Option } from "clipanion";
import type { ImageManifest } from "../../contract/image.ts";
import { CATEGORY, HypeCommand } from "../command.ts";
import type { Colours } from "../output/colours.ts";
import { pairs, table } from "../output/table.ts";
import { bytes, plural } from "../../text/units.ts";
import { openImages } from "./room.ts";

export class ImageInspectCommand extends HypeCommand {
  static override paths = [["image", "inspect"]];
  static override usage = Command.Usage({
    category: CATEGORY.image,
    description: "Show what is in an image",
    details: "With --json the whole manifest, every package with its version.",
    examples: [["The default image", "$0 image inspect"]],
  });

  ref = Option.String({ name: "image", required: false });

  async execute(): Promise<void> {
    const images = await openImages(await this.config());
    const { manifest } = await images.get(this.ref ?? "default");
    if (this.json) this.printJson(manifest);
    else this.print(manifestDetails(manifest, this.context.paint.stdout));
  }
}

function manifestDetails(manifest: ImageManifest, paint: Colours): string {
  const facts = pairs(
    [
      ["id", manifest.id],
      ["format", manifest.format],
      ["architecture", manifest.architecture],
      ["kernel", manifest.kernel_version],
      ["chromium", manifest.chromium_version],
      ["agent", manifest.agent_version],
      ["made by", manifest.source],
      ["created", manifest.created_at],
      ["packages", plural(Object.keys(manifest.packages).length, "package")],
    ],
    paint.dim,
  );
  const files = table(
    [
      { title: "FILE", value: (file) => file.name },
      { title: "SIZE", value: (file) => bytes(file.bytes), align: "right" },
      { title: "SHA-256", value: (file) => file.sha256 },
    ],
    manifest.files,
    paint.bold,
  );
  return `${facts}\n${files}`;
}
