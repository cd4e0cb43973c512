import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { memoryMb, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";

export class ResizeCommand extends ServerCommand {
  static override paths = [["vms", "resize"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Give a stopped VM other cores or memory",
    details: "Its next start has the new size. Name, address, labels and egress policy stay.",
    examples: [["Four cores, two gigabytes", "$0 vms resize demo --cpu 4 --memory 2G"]],
  });

  name = Option.String();
  cpu = text("--cpu", "cores", "CPU cores");
  memory = text("--memory", "size", "Memory in MB, or 2G");

  async execute(): Promise<void> {
    if (this.cpu === undefined && this.memory === undefined)
      throw new HypeError("usage", "name --cpu, --memory or both");
    const size = {
      ...(this.cpu === undefined ? {} : { cpu_cores: wholeNumber("--cpu", this.cpu) }),
      ...(this.memory === undefined ? {} : { memory_mb: memoryMb("--memory", this.memory) }),
    };
    const client = await this.client();
    const vm = await client.vms.resize(this.name, size);
    if (this.json) this.printJson(vm);
    else this.print(`${vm.name} starts with ${vm.cpu_cores} cpu and ${vm.memory_mb} MB from now on\n`);
  }
}
