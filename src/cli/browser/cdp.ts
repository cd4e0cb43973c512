import { Command, Option } from "clipanion";
import { seconds } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";

export class CdpCommand extends ServerCommand {
  static override paths = [["cdp"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print a DevTools URL for Playwright, Puppeteer and other CDP clients",
    details: `
      The URL carries a token for this one VM that runs out; the admin key never stands in a URL. Treat it as a secret all the same.
    `,
    examples: [
      ["Playwright: chromium.connectOverCDP(url)", "$0 cdp demo"],
      ["The HTTP form, the base of /json/version", "$0 cdp demo --http --ttl 8h"],
    ],
  });

  name = Option.String();
  http = flag("--http", "The http:// form instead of ws://");
  ttl = text("--ttl", "duration", "How long it is good for: 90s, 10m, 8h; default 1h, at most 1d");

  async execute(): Promise<void> {
    const body = this.ttl === undefined ? {} : { ttl_seconds: seconds("--ttl", this.ttl) };
    const client = await this.client();
    const token = await client.vms.cdpToken(this.name, body);
    if (this.json) this.printJson(token);
    else this.print(`${this.http ? token.http_url : token.ws_url}\n`);
  }
}
