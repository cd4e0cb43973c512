import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";

export class DialogAnswerCommand extends ServerCommand {
  static override paths = [["dialog", "answer"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Answer the dialog that a page waits at (policy ask)",
    details: "Without --id it is the one that is open; where several are, they are named.",
    examples: [
      ["Yes", "$0 dialog answer demo accept"],
      ["A prompt", "$0 dialog answer demo accept --prompt Ada"],
    ],
  });

  name = Option.String();
  answer = Option.String();
  id = text("--id", "id", "Which one, as `hype observe` and errors name it");
  prompt = text("--prompt", "text", "What a prompt is answered with");

  async execute(): Promise<void> {
    const accept = oneOf("answer", this.answer, ["accept", "dismiss"]) === "accept";
    const client = await this.client();
    const id = this.id ?? (await this.#open(client));
    const prompt = this.prompt === undefined ? {} : { prompt_text: this.prompt };
    const done = await client.browser.operate(this.name, "answer-dialog", { id, accept, ...prompt });
    if (this.json) this.printJson(done);
    else this.print(`dialog ${id} ${accept ? "accepted" : "dismissed"}\n`);
  }

  /** @throws HypeError `dialog_not_found` | `usage` */
  async #open(client: Client): Promise<string> {
    const states = new Map<string, string>();
    for (let after = 0; ;) {
      const { items } = await client.browser.operate(this.name, "list-entries", { kinds: ["dialog"], after });
      for (const entry of items) if (entry.kind === "dialog") states.set(entry.id, entry.state);
      const last = items.at(-1);
      if (!last || last.seq <= after) break;
      after = last.seq;
    }
    const open = [...states].filter(([, state]) => state === "open").map(([id]) => id);
    if (open.length > 1)
      throw new HypeError("usage", `several dialogs are open, name one with --id: ${open.join(", ")}`);
    if (!open[0]) throw new HypeError("dialog_not_found", "no dialog is open");
    return open[0];
  }
}
