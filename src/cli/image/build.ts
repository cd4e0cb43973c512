import { Command } from "clipanion";
import { ImageFormat } from "../../contract/image.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, HypeCommand } from "../command.ts";
import { flag, text } from "../option.ts";
import { bytes } from "../../text/units.ts";

const SOURCES = ["auto", "mmdebstrap", "docker", "podman", "buildah"] as const;

export class ImageBuildCommand extends HypeCommand {
  static override paths = [["image", "build"]];
  static override usage = Command.Usage({
    category: CATEGORY.image,
    description: "Build the guest image: kernel, initramfs, root file system",
    details: `
      The recipe is inside hype: no checkout is needed. What was built from the same inputs already is taken as it is. Ctrl-C leaves nothing behind.
    `,
    examples: [["Everything in one initramfs", "$0 image build --format bundle"]],
  });

  format = text(
    "--format",
    "format",
    `${ImageFormat.options.join(" (one shared root file system) or ")} (everything in one initramfs); default layered`,
  );
  source = text("--source", "tool", `What makes the root tree: ${SOURCES.join(", ")}; default auto`);
  force = flag("--force", "Build anew even if the same image is there");

  async execute(): Promise<void> {
    const choice = {
      format: oneOf("--format", this.format ?? "layered", ImageFormat.options),
      source: oneOf("--source", this.source ?? "auto", SOURCES),
      force: this.force,
    };
    const config = await this.config();
    const { buildWithProgress } = await import("./build-with-progress.ts");
    using interrupts = this.context.catchInterrupts();
    using progress = this.progress();
    const manifest = await buildWithProgress(config, choice, progress, interrupts.signal);
    if (this.json) return this.printJson(manifest);
    const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    this.print(`image ${manifest.id}: ${manifest.format}, Chromium ${manifest.chromium_version}, ${bytes(total)}\n`);
  }
}
