import { createInterface } from "node:readline/promises";
import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY } from "../command.ts";
import { flag } from "../option.ts";
import { plural } from "../../text/units.ts";
import { EachVmCommand } from "./each.ts";

export class DeleteCommand extends EachVmCommand {
  static override paths = [
    ["vms", "delete"],
    ["vms", "rm"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Delete VMs with everything they hold",
    details: "--all asks first; where nobody can be asked it wants --yes.",
    examples: [
      ["Two at once", "$0 vms delete demo job-17"],
      ["All of them", "$0 vms delete --all --yes"],
    ],
  });

  override names = Option.Rest({ name: "name" });
  all = flag("--all", "Every VM there is");
  yes = flag("-y,--yes", "Do not ask");

  override async execute(): Promise<number> {
    if (this.all === this.names.length > 0) throw new HypeError("usage", "name the VMs to delete, or give --all");
    const client = await this.client();
    if (!this.all) return await this.actOnAll(client, this.names);
    const { items } = await client.vms.list({ limit: "1000" });
    const names = items.map((vm) => vm.name);
    if (names.length > 0 && !this.yes) await this.confirm(names);
    if (names.length === 0 && !this.json) this.print("no VMs to delete\n");
    return await this.actOnAll(client, names);
  }

  protected readonly doing = "Deleting";

  protected async act(client: Client, name: string) {
    await client.vms.delete(name);
    return { words: `${name} is deleted`, value: { name, deleted: true } };
  }

  /** @throws HypeError usage when nobody can be asked; cancelled when the answer is no */
  private async confirm(names: string[]): Promise<void> {
    const { stdin, stderr, terminal } = this.context;
    if (!terminal.stdin) throw new HypeError("usage", "--all deletes every VM: add --yes to confirm");
    const terminalInterface = createInterface({ input: stdin, output: stderr });
    try {
      const answer = await terminalInterface.question(
        `Delete ${plural(names.length, "VM")} (${names.join(", ")})? [y/N] `,
      );
      if (!/^y(es)?$/i.test(answer.trim())) throw new HypeError("cancelled", "nothing was deleted");
    } finally {
      terminalInterface.close();
    }
  }
}
