import { Command } from "clipanion";
import { oneOf, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";

export class ArtifactsListCommand extends ServerCommand {
  static override paths = [
    ["artifacts", "list"],
    ["artifacts", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.artifacts,
    description: "List what is kept of VMs, newest first",
    details: "Artifacts outlive their VMs: --vm also takes the name or id of one that was deleted.",
    examples: [
      ["What a VM left", "$0 artifacts list --vm demo"],
      ["Every screenshot", "$0 artifacts list --kind screenshot"],
    ],
  });

  vm = text("--vm", "name", "Only of this VM");
  kind = text("--kind", "kind", "Only screenshot, pdf, har, download, recording or other");
  limit = text("--limit", "count", "At most so many; default 100, at most 1000");
  after = text("--after", "id", "Those older than this artifact");

  async execute(): Promise<void> {
    const { ArtifactKind } = await import("../../contract/artifact.ts");
    const page = await (
      await this.client()
    ).artifacts.list({
      ...(this.vm === undefined ? {} : { vm: this.vm }),
      ...(this.kind === undefined ? {} : { kind: oneOf("--kind", this.kind, ArtifactKind.options) }),
      ...(this.limit === undefined ? {} : { limit: wholeNumber("--limit", this.limit) }),
      ...(this.after === undefined ? {} : { after: this.after }),
    });
    if (this.json) return this.printJson(page);
    if (page.items.length === 0) this.print("no artifacts\n");
    else {
      const { artifactTable } = await import("./show.ts");
      this.print(artifactTable(page.items, this.context.paint.stdout));
    }
    if (page.next !== null) this.context.stderr.write(`there is more: --after ${page.next}\n`);
  }
}
