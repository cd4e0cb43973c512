import { Command } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { duration } from "../../text/units.ts";
import { EachVmCommand } from "./each.ts";

export class StartCommand extends EachVmCommand {
  static override paths = [["vms", "start"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Start stopped or crashed VMs and wait until their browsers are usable",
    examples: [["A fresh guest under the same name and address", "$0 vms start demo"]],
  });

  protected readonly doing = "Starting";

  protected async act(client: Client, name: string) {
    const vm = await client.vms.start(name);
    return {
      words: `${vm.name} is ${vm.status}${vm.boot_ms === null ? "" : `, usable after ${duration(vm.boot_ms)}`}`,
      value: vm,
    };
  }
}
