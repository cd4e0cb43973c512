import { Command, Option } from "clipanion";
import { Content } from "../../contract/browser.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";

const FORMATS = Content.entries.format.wrapped.options;

export class ContentCommand extends ServerCommand {
  static override paths = [["content"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print the page a VM shows, as HTML or as text",
    examples: [["What a reader sees", "$0 content demo --format text"]],
  });

  name = Option.String();
  format = text("--format", "format", `One of ${FORMATS.join(", ")}; default html`);
  tab = text("--tab", "id", "Tab to read; default: the one used last");

  async execute(): Promise<void> {
    const format = oneOf("--format", this.format ?? "html", FORMATS);
    const client = await this.client();
    const page = await client.browser.content(this.name, {
      format,
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    if (this.json) return this.printJson(page);
    await this.printForeign(page.content.endsWith("\n") ? page.content : `${page.content}\n`);
  }
}
