import { Command, Option } from "clipanion";
import { CATEGORY, HypeCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { plural } from "../../text/units.ts";
import { openImages } from "./room.ts";

export class ImageVerifyCommand extends HypeCommand {
  static override paths = [["image", "verify"]];
  static override usage = Command.Usage({
    category: CATEGORY.image,
    description: "Compare every file of an image with its manifest",
    details: "Reads every byte. Ends with 1 when a file is damaged or missing, and names it.",
    examples: [["The default image", "$0 image verify"]],
  });

  ref = Option.String({ name: "image", required: false });

  async execute(): Promise<number> {
    const images = await openImages(await this.config());
    const { id, ok, files } = await images.verify(this.ref ?? "default");
    if (this.json) {
      this.printJson({ id, ok, files });
      return ok ? 0 : 1;
    }
    const paint = this.context.paint.stdout;
    for (const { name, status, detail } of files.filter((file) => file.status !== "ok"))
      this.print(`${paint.red("✗")} ${sanitizeLine(`${name} is ${status}: ${detail}`)}\n`);
    if (ok) this.print(`${paint.green("✓")} image ${id}: ${plural(files.length, "file")}, every byte as built\n`);
    else this.print(`image ${id} is damaged; \`hype image build --force\` makes it anew\n`);
    return ok ? 0 : 1;
  }
}
