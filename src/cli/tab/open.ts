import { Command, Option } from "clipanion";
import { pageUrl } from "../arguments/page-url.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";

export class TabOpenCommand extends ServerCommand {
  static override paths = [["tab", "open"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Open another tab and print its id",
    examples: [
      ["Beside the others", "$0 tab open demo https://example.com"],
      ["With cookies of its own", "$0 tab open demo https://example.com --isolated"],
    ],
  });

  name = Option.String();
  url = Option.String({ required: false });
  isolated = flag("--isolated", "In a browser context of its own");
  background = flag("--background", "Behind the tab in use");

  async execute(): Promise<void> {
    const client = await this.client();
    const opened = await client.browser.operate(this.name, "open-tab", {
      ...(this.url === undefined ? {} : { url: pageUrl(this.url) }),
      isolated: this.isolated,
      background: this.background,
    });
    if (this.json) this.printJson(opened);
    else this.print(`${opened.tab}\n`);
  }
}
