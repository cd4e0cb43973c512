import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class GetCommand extends ServerCommand {
  static override paths = [["vms", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Show everything about one VM",
    examples: [["A crashed VM also shows why, and its last console lines", "$0 vms get demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const vm = await client.vms.get(this.name);
    if (this.json) return this.printJson(vm);
    const { vmDetails } = await import("./show.ts");
    this.print(vmDetails(vm, this.context.paint.stdout));
  }
}
