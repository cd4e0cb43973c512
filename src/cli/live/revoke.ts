import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

export class LiveRevokeCommand extends ServerCommand {
  static override paths = [["live", "revoke"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "End a live link and the pages it opened, at once",
    examples: [["By the id that `hype live list` shows", "$0 live revoke 0190b5a0-0000-7000-8000-000000000001"]],
  });

  id = Option.String();

  async execute(): Promise<void> {
    const link = await (await this.client()).live.revokeLink(this.id);
    if (this.json) this.printJson(link);
    else this.print(`${sanitizeLine(link.id)} is revoked\n`);
  }
}
