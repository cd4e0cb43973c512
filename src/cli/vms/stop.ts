import { Command } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { flag } from "../option.ts";
import { EachVmCommand } from "./each.ts";

export class StopCommand extends EachVmCommand {
  static override paths = [["vms", "stop"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Power VMs off; name, address and settings stay",
    examples: [["Without waiting for the guest", "$0 vms stop demo --force"]],
  });

  force = flag("--force", "End the VM at once instead of asking its guest to power off");

  protected readonly doing = "Stopping";

  protected async act(client: Client, name: string) {
    const vm = await client.vms.stop(name, { force: this.force });
    return { words: `${vm.name} is ${vm.status}`, value: vm };
  }
}
