import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { bytes } from "../../text/units.ts";
import { pick } from "./pick.ts";

export class DownloadsKeepCommand extends ServerCommand {
  static override paths = [["downloads", "keep"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Keep a download of a VM's browser on the server's machine",
    details:
      "By id or file name; default: the newest. It is there when the VM is gone, see `hype artifacts`. `hype vms create --keep download` keeps all.",
    examples: [["The newest", "$0 downloads keep demo"]],
  });

  name = Option.String();
  download = Option.String({ required: false });
  as = text("--as", "name", "File name to keep it under; default: its own");

  async execute(): Promise<void> {
    using interrupts = this.context.catchInterrupts();
    const client = await this.client();
    const { id } = await pick(client, this.name, this.download);
    const artifact = await client.browser.keepDownload(this.name, id, {
      signal: interrupts.signal,
      ...(this.as === undefined ? {} : { keepAs: this.as }),
    });
    if (this.json) this.printJson(artifact);
    else this.print(`${sanitizeLine(artifact.name)}  ${bytes(artifact.size_bytes)}  kept as ${artifact.id}\n`);
  }
}
