import { Command } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { EachVmCommand } from "./each.ts";

export class ResumeCommand extends EachVmCommand {
  static override paths = [["vms", "resume"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Let paused VMs go on",
    examples: [["Pages go on where they stood", "$0 vms resume demo"]],
  });

  protected readonly doing = "Resuming";

  protected async act(client: Client, name: string) {
    const vm = await client.vms.resume(name);
    return { words: `${vm.name} is ${vm.status}`, value: vm };
  }
}
