import { Command, Option } from "clipanion";
import { CATEGORY, readFully, ServerCommand } from "../command.ts";
import { texts } from "../option.ts";

export class ProxySetCommand extends ServerCommand {
  static override paths = [["proxy", "set"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Send a VM's browser through an HTTP or SOCKS5 proxy, at once",
    details: `
      The proxy is \`http://\`, \`https://\` or \`socks5://[user:password@]host:port\`. Names are looked up by the proxy. \`-\` reads the URL from standard input, so that the password stands in no history.

      From one proxy to another the tabs stay. A browser that had none is restarted, and its tabs are gone.
    `,
    examples: [
      ["An HTTP proxy", "$0 proxy set demo http://proxy.example:3128"],
      ["With a password, from a file", "$0 proxy set demo - < proxy.txt"],
    ],
  });

  name = Option.String();
  url = Option.String();
  bypass = texts(
    "--bypass",
    "hosts",
    "Hosts reached without it: name, *.domain or address; may be given several times",
  );

  async execute(): Promise<void> {
    const { askedProxy, proxyDetails, RESTARTED } = await import("./show.ts");
    const url = this.url === "-" ? (await readFully(this.context.stdin)).trim() : this.url;
    const client = await this.client();
    const proxy = await client.vms.setProxy(this.name, askedProxy(url, this.bypass));
    if (this.json) return this.printJson(proxy);
    this.print(proxyDetails(this.name, proxy, this.context.paint.stdout));
    if (proxy.browser_restarted) this.print(`${RESTARTED}\n`);
  }
}
