import { Command } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { EachVmCommand } from "./each.ts";

export class PauseCommand extends EachVmCommand {
  static override paths = [["vms", "pause"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Freeze VMs where they are, memory kept",
    examples: [["The browser stands still until it is resumed", "$0 vms pause demo"]],
  });

  protected readonly doing = "Pausing";

  protected async act(client: Client, name: string) {
    const vm = await client.vms.pause(name);
    return { words: `${vm.name} is ${vm.status}`, value: vm };
  }
}
