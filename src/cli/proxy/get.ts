import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProxyGetCommand extends ServerCommand {
  static override paths = [["proxy", "get"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Show the proxy of a VM's browser, without its password",
    examples: [["What the browser goes through", "$0 proxy get demo"]],
  });

  name = Option.String();

  async execute(): Promise<void> {
    const client = await this.client();
    const proxy = await client.vms.proxy(this.name);
    if (this.json) return this.printJson(proxy);
    const { proxyDetails } = await import("./show.ts");
    this.print(proxyDetails(this.name, proxy, this.context.paint.stdout));
  }
}
