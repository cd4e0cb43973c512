import { Command } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";

export class ProfilesRotateKeyCommand extends ServerCommand {
  static override paths = [["profiles", "rotate-key"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Seal all profiles with a new key",
    details: `
      Wants a key of scope admin. The old key is forgotten once nothing is left that only it opens: backups from before want the key file from before.

      Ends with 1 when profiles could not be opened; they are named, and the old keys stay for them.
    `,
    examples: [["After somebody may have read the key file", "$0 profiles rotate-key"]],
  });

  async execute(): Promise<number> {
    const { profiles, unreadable } = await (await this.client()).profiles.rotateKey();
    if (this.json) this.printJson({ profiles, unreadable });
    else this.print(`${profiles} profiles are sealed with a new key\n`);
    if (unreadable.length === 0) return 0;
    this.context.stderr.write(`could not be opened, and keep the old key: ${unreadable.join(", ")}\n`);
    return 1;
  }
}
