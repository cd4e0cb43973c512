import { HypeCommand } from "../command.ts";

/** Run by the systemd unit that `hype setup` writes, at every boot; without words of its own it stays out of help and docs/cli.md. */
export class NetworkUpCommand extends HypeCommand {
  static override paths = [["network", "up"]];

  /** @throws HypeError network_unavailable | network_failed | tool_missing | root_required */
  async execute(): Promise<void> {
    const config = await this.config();
    const { restoreHostNetwork } = await import("../../network/slot/host.ts");
    await restoreHostNetwork(config);
    if (this.json) this.printJson({ bridge: config.bridge, host_ip: config.hostIp });
    else this.print(`bridge ${config.bridge} has ${config.hostIp}\n`);
  }
}
