import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class EgressGetCommand extends ServerCommand {
  static override paths = [["egress", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Show what a VM's guest may reach, and what it was refused",
    examples: [["Which destinations were refused", "$0 egress get demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const egress = await client.vms.egress(this.name);
    if (this.json) return this.printJson(egress);
    const { egressDetails } = await import("./policy.ts");
    this.print(egressDetails(this.name, egress, this.context.paint.stdout));
  }
}
