import { Command, Option } from "clipanion";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";

export class DialogPolicyCommand extends ServerCommand {
  static override paths = [["dialog", "policy"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: 'Say what becomes of alerts, questions and "leave this page?"',
    details:
      "accept, dismiss, ask (the page stands still until `hype dialog answer`), or none: as Chromium does by itself. For all tabs, or for --tab.",
    examples: [
      ["Yes to everything", "$0 dialog policy demo accept"],
      ["Decide each time", "$0 dialog policy demo ask"],
    ],
  });

  name = Option.String();
  policy = Option.String();
  prompt = text("--prompt", "text", "With accept: what prompts are answered with");
  tab = text("--tab", "id", "Only this tab; default: all");

  async execute(): Promise<void> {
    const policy = oneOf("policy", this.policy, ["accept", "dismiss", "ask", "none"]);
    const client = await this.client();
    const done = await client.browser.operate(this.name, "set-dialog-policy", {
      policy: policy === "none" ? null : policy,
      ...(this.prompt === undefined ? {} : { prompt_text: this.prompt }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    if (this.json) this.printJson(done);
    else this.print(`dialogs of ${this.name}: ${policy}\n`);
  }
}
