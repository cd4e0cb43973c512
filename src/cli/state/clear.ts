import { Command, Option } from "clipanion";
import { STATE_PARTS } from "../../contract/state.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text, texts } from "../option.ts";

export class StateClearCommand extends ServerCommand {
  static override paths = [["state", "clear"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Forget cookies and storage of a VM's browser",
    examples: [
      ["Everything", "$0 state clear demo"],
      ["Cookies of one site", "$0 state clear demo --part cookies --origin https://example.com"],
    ],
  });

  name = Option.String();
  parts = texts("--part", "part", `One of ${STATE_PARTS.join(", ")}; can be given several times; default: all`);
  origins = texts("--origin", "origin", "Only of this origin; can be given several times; default: all");
  tab = text("--tab", "id", "A tab whose state is meant; default: the browser's own");

  async execute(): Promise<void> {
    const parts = this.parts.map((part) => oneOf("--part", part, STATE_PARTS));
    const client = await this.client();
    const cleared = await client.browser.operate(this.name, "clear-state", {
      ...(parts.length === 0 ? {} : { parts }),
      ...(this.origins.length === 0 ? {} : { origins: this.origins }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    if (this.json) this.printJson(cleared);
    else this.print(`cleared ${parts.length === 0 ? "cookies and storage" : parts.join(", ")}\n`);
  }
}
