import { Command, Option } from "clipanion";
import { seconds } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";

export class LiveCommand extends ServerCommand {
  static override paths = [["live"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print a link to a page that shows a VM's browser live, and takes it over",
    details: `
      Whoever has the link may watch and, unless it is for viewing only, take control. It runs out by itself, is ended by \`hype live revoke\`, and ends with the key that made it. Treat it as a secret.
    `,
    examples: [
      ["A link for ten minutes", "$0 live demo"],
      ["For somebody who is to watch only, for an hour", "$0 live demo --view-only --ttl 1h --for anna"],
      ["In the browser of this machine", "$0 live demo --open"],
    ],
  });

  name = Option.String();
  viewOnly = flag("--view-only", "Watching only: no clicks, no keys");
  ttl = text("--ttl", "duration", "How long it is good for: 90s, 10m, 8h; default 10m, at most 1d");
  for = text("--for", "name", "Whom it is for; shown to those who watch, and in events");
  open = flag("--open", "Open it in the browser of this machine, too");

  async execute(): Promise<void> {
    const body = {
      view_only: this.viewOnly,
      ...(this.ttl === undefined ? {} : { ttl_seconds: seconds("--ttl", this.ttl) }),
      ...(this.for === undefined ? {} : { label: this.for }),
    };
    const link = await (await this.client()).live.createLink(this.name, body);
    if (this.json) this.printJson(link);
    else this.print(`${link.url}\n`);
    if (!this.open) return;
    const { openInBrowser } = await import("./open-in-browser.ts");
    openInBrowser(link.url, this.context.env);
  }
}
