import { Command } from "clipanion";
import type { Client } from "../../client/types.ts";
import { CATEGORY } from "../command.ts";
import { duration } from "../../text/units.ts";
import { EachVmCommand } from "./each.ts";

export class RestartCommand extends EachVmCommand {
  static override paths = [["vms", "restart"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Stop VMs and start them anew",
    examples: [["A fresh guest, nothing of the old one kept", "$0 vms restart demo"]],
  });

  protected readonly doing = "Restarting";

  protected async act(client: Client, name: string) {
    const vm = await client.vms.restart(name);
    return {
      words: `${vm.name} is ${vm.status}${vm.boot_ms === null ? "" : `, usable after ${duration(vm.boot_ms)}`}`,
      value: vm,
    };
  }
}
