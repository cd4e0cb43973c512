import { Command, Option } from "clipanion";
import { element } from "../arguments/element.ts";
import { CATEGORY, readFully } from "../command.ts";
import { flag } from "../option.ts";
import { TabCommand } from "./tab-command.ts";

export class FillCommand extends TabCommand {
  static override paths = [["fill"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Set the value of a field",
    details:
      "The field is a ref of `hype snapshot` or a selector. A text of - is read from standard input: secrets stay out of the process list.",
    examples: [
      ["And send the form", "$0 fill demo e3 'hello world' --submit"],
      ["A password", "$0 fill demo '#password' - < password.txt"],
    ],
  });

  name = Option.String();
  target = Option.String({ name: "element" });
  value = Option.String({ name: "text" });
  submit = flag("--submit", "Press Enter afterwards");

  async execute(): Promise<void> {
    const text = this.value === "-" ? (await readFully(this.context.stdin)).replace(/\r?\n$/, "") : this.value;
    const body = { ...element(this.target), text, submit: this.submit, ...this.onTab() };
    const client = await this.client();
    this.tellPage(await client.browser.operate(this.name, "fill", body));
  }
}
