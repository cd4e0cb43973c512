import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, readFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class TypeCommand extends TabCommand {
  static override paths = [["type"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Type a text key by key, where the focus is",
    details:
      "`hype fill` sets a field at once; this is for pages that listen to keys. A text of - is read from standard input: secrets stay out of the process list.",
    examples: [
      ["Into a field, as a person would", "$0 type demo hello --on e3 --delay 80"],
      ["And send it", "$0 type demo 'hello world' --submit"],
    ],
  });

  name = Option.String();
  words = Option.String({ name: "text" });
  on = text("--on", "element", "Focus this element first: a ref or a selector");
  delay = text("--delay", "milliseconds", "Between two keys");
  submit = flag("--submit", "Press Enter afterwards");

  async execute(): Promise<void> {
    const typed = this.words === "-" ? (await readFully(this.context.stdin)).replace(/\r?\n$/, "") : this.words;
    const body = {
      text: typed,
      submit: this.submit,
      ...(this.on === undefined ? {} : element(this.on)),
      ...(this.delay === undefined ? {} : { delay_ms: wholeNumber("--delay", this.delay) }),
      ...this.onTab(),
    };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "type", body));
  }
}
