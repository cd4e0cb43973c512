import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ArtifactsGetCommand extends ServerCommand {
  static override paths = [["artifacts", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.artifacts,
    description: "Show what is known of an artifact",
    examples: [["With its SHA-256 and its VM", "$0 artifacts get 01993b2e-6d7a-7000-8000-0123456789ab"]],
  });

  id = Option.String();

  async execute(): Promise<void> {
    const artifact = await (await this.client()).artifacts.get(this.id);
    if (this.json) return this.printJson(artifact);
    const { artifactDetails } = await import("./show.ts");
    this.print(artifactDetails(artifact, this.context.paint.stdout));
  }
}
