import { Command, Option } from "clipanion";
import { CATEGORY, connection, ServerCommand } from "../command.ts";
import { openImages } from "./room.ts";

export class ImageRemoveCommand extends ServerCommand {
  static override paths = [["image", "rm"]];
  static override usage = Command.Usage({
    category: CATEGORY.image,
    description: "Remove an image no VM uses",
    details: "When it was the default image, the newest of the others becomes it.",
    examples: [["By id, or the beginning of one", "$0 image rm 1a2b3c"]],
  });

  ref = Option.String({ name: "image" });

  async execute(): Promise<void> {
    const config = await this.serverConfig();
    const images = await openImages(config);
    const { imagesInUse } = await import("./in-use.ts");
    // This machine's own key: another may be shown only some of the VMs that use an image.
    const connect = async () => this.context.connect(await connection({ ...config, apiKey: null }));
    using users = await imagesInUse(config, connect);
    const id = images.remove(this.ref, users.inUse);
    if (this.json) this.printJson({ id, removed: true });
    else this.print(`image ${id} is removed\n`);
  }
}
