import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { EachVmCommand } from "../vms/each.ts";

export class ArtifactsDeleteCommand extends EachVmCommand {
  static override paths = [
    ["artifacts", "delete"],
    ["artifacts", "rm"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.artifacts,
    description: "Delete artifacts",
    examples: [
      ["One", "$0 artifacts delete 01993b2e-6d7a-7000-8000-0123456789ab"],
      ["All that a VM left", "$0 artifacts list --vm demo --json | jq -r '.items[].id' | xargs $0 artifacts delete"],
    ],
  });

  override names = Option.Rest({ name: "id", required: 1 });

  protected readonly doing = "Deleting";

  protected async act(client: Client, id: string) {
    await client.artifacts.delete(id);
    return { words: `${id} is deleted`, value: { id, deleted: true } };
  }
}
