import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { RESOURCE_TYPES } from "../../contract/intercept.ts";
import { labels as pairs, oneOf, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text, texts } from "../option.ts";

export class RulesAddCommand extends ServerCommand {
  static override paths = [["rules", "add"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Block, mock or change requests of a VM's browser",
    details: "The pattern is a whole address, * for any characters. Rules hold until they are removed, for all tabs.",
    examples: [
      ["No images", "$0 rules add demo '*' --block --type image"],
      [
        "An answer of our own",
        `$0 rules add demo '*/api/user' --mock '{"name":"Ada"}' --content-type application/json`,
      ],
      ["A header", "$0 rules add demo 'https://shop.example/*' --set-header X-Test=1"],
    ],
  });

  name = Option.String();
  url = Option.String({ name: "pattern" });
  block = flag("--block", "The request fails");
  allow = flag("--allow", "An exception to rules after it");
  mock = text("--mock", "body", "Answer with this body, without asking the site");
  status = text("--status", "code", "With --mock; default 200");
  contentType = text("--content-type", "type", "With --mock");
  setHeaders = texts("--set-header", "name=value", "Send this header");
  removeHeaders = texts("--remove-header", "name", "Leave this header out");
  types = texts("--type", "type", `Only such requests: ${RESOURCE_TYPES.join(", ")}`);
  tab = text("--tab", "id", "Only this tab");
  first = flag("--first", "Before the rules there are");

  async execute(): Promise<void> {
    const body = {
      url: this.url,
      action: this.#action(),
      first: this.first,
      ...(this.types.length === 0
        ? {}
        : { resource_types: this.types.map((type) => oneOf("--type", type, RESOURCE_TYPES)) }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    };
    const client = await this.client();
    const rule = await client.browser.operate(this.name, "add-rule", body);
    if (this.json) this.printJson(rule);
    else this.print(`${rule.id}\n`);
  }

  /** @throws HypeError usage */
  #action() {
    const changesHeaders = this.setHeaders.length > 0 || this.removeHeaders.length > 0;
    const chosen = [this.block, this.allow, this.mock !== undefined, changesHeaders].filter(Boolean).length;
    if (chosen !== 1)
      throw new HypeError("usage", "say one of --block, --allow, --mock, or --set-header and --remove-header");
    if (this.block) return { type: "block" as const };
    if (this.allow) return { type: "allow" as const };
    if (changesHeaders)
      return { type: "headers" as const, set: pairs("--set-header", this.setHeaders), remove: this.removeHeaders };
    return {
      type: "mock" as const,
      body: this.mock ?? "",
      ...(this.status === undefined ? {} : { status: wholeNumber("--status", this.status) }),
      ...(this.contentType === undefined ? {} : { headers: { "content-type": this.contentType } }),
    };
  }
}
