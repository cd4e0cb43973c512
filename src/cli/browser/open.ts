import { Command, Option } from "clipanion";
import { Navigate } from "../../contract/browser.ts";
import { pageUrl } from "../arguments/page-url.ts";
import { oneOf, seconds } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";
import { shorten } from "../output/shorten.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

const WAIT_FOR = Navigate.entries.wait_until.wrapped.options;

export class OpenCommand extends ServerCommand {
  static override paths = [["open"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Open a page in a VM's browser",
    details: "Without a scheme https is meant; for localhost and bare addresses http.",
    examples: [["Open a page", "$0 open demo https://example.com"]],
  });

  name = Option.String();
  url = Option.String();
  waitFor = text("--wait-for", "moment", `When it counts as open: ${WAIT_FOR.join(", ")}; default load`);
  timeout = text("--timeout", "duration", "How long to wait: 30s, 2m; default 30s");
  tab = text("--tab", "id", "Tab to use; default: the one used last");

  async execute(): Promise<void> {
    const body = {
      url: pageUrl(this.url),
      ...(this.waitFor === undefined ? {} : { wait_until: oneOf("--wait-for", this.waitFor, WAIT_FOR) }),
      ...(this.timeout === undefined ? {} : { timeout_ms: seconds("--timeout", this.timeout) * 1000 }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    };
    const client = await this.client();
    const page = await client.browser.navigate(this.name, body);
    if (this.json) return this.printJson(page);
    const paint = this.context.paint.stdout;
    const status = page.status === null ? "" : `  ${page.status}`;
    const title = page.title === "" ? "(no title)" : page.title;
    this.print(`${paint.bold(sanitizeLine(title))}  ${sanitizeLine(shorten(page.url, 200))}${status}\n`);
  }
}
