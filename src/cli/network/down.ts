import { HypeCommand } from "../command.ts";

/** The counterpart of `hype network up`: takes the bridge and our nftables table away. VMs in slots are cut off until it is up again. */
export class NetworkDownCommand extends HypeCommand {
  static override paths = [["network", "down"]];

  /** @throws HypeError network_unavailable | network_failed | tool_missing | root_required */
  async execute(): Promise<void> {
    const config = await this.config();
    const { removeHostNetwork } = await import("../../network/slot/host.ts");
    await removeHostNetwork(config);
    if (this.json) this.printJson({ bridge: config.bridge });
    else this.print(`bridge ${config.bridge} is gone\n`);
  }
}
