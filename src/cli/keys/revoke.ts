import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

export class KeysRevokeCommand extends ServerCommand {
  static override paths = [["keys", "revoke"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "End an API key at once",
    details:
      "Its open CDP sockets and event streams are closed, the CDP tokens it minted are void. Its name stays taken.",
    examples: [["By name or id", "$0 keys revoke ci"]],
  });

  ref = Option.String({ name: "name" });

  async execute(): Promise<void> {
    const key = await (await this.client()).keys.revoke(this.ref);
    if (this.json) this.printJson(key);
    else this.print(`${sanitizeLine(key.name)} is revoked\n`);
  }
}
