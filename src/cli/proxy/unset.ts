import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProxyUnsetCommand extends ServerCommand {
  static override paths = [["proxy", "unset"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Let a VM's browser reach pages directly again",
    details: "A browser that runs is restarted, and its tabs are gone.",
    examples: [["Without a proxy", "$0 proxy unset demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const proxy = await client.vms.setProxy(this.name, null);
    if (this.json) return this.printJson(proxy);
    const { proxyDetails, RESTARTED } = await import("./show.ts");
    this.print(proxyDetails(this.name, proxy, this.context.paint.stdout));
    if (proxy.browser_restarted) this.print(`${RESTARTED}\n`);
  }
}
