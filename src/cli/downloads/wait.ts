import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { seconds } from "../arguments/quantities.ts";
import { CATEGORY } from "../command.ts";
import { flag, text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { bytes } from "../../text/units.ts";
import { SaveCommand } from "./save-command.ts";

export class DownloadsWaitCommand extends SaveCommand {
  static override paths = [["downloads", "wait"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Wait until a download of a VM's browser has ended",
    details:
      "Each download is told of once, oldest first: the click that begins it may come before. With --save or -o it is saved on this machine.",
    examples: [
      ["The next one", "$0 downloads wait demo"],
      ["A report, saved", "$0 downloads wait demo --name '*.pdf' -o report.pdf --timeout 2m"],
    ],
  });

  name = Option.String();
  pattern = text("--name", "pattern", "Only one of this file name: glob (* ** ?) or /pattern/flags");
  tab = text("--tab", "id", "Only one of this tab; default: of any");
  timeout = text("--timeout", "duration", "How long it may take: 30s, 2m; default 1m");
  saved = flag("--save", "Save it under its own name");

  async execute(): Promise<void> {
    using interrupts = this.context.catchInterrupts();
    const client = await this.client();
    const body = {
      download: this.pattern === undefined ? (true as const) : { name: this.pattern },
      ...(this.tab === undefined ? {} : { tab: this.tab }),
      ...(this.timeout === undefined ? {} : { timeout_ms: seconds("--timeout", this.timeout) * 1000 }),
    };
    const { download } = await client.browser.operate(this.name, "wait", body, { signal: interrupts.signal });
    if (download === undefined) throw new HypeError("guest_unreachable", "the agent tells of no download");
    if (download.state !== "completed")
      throw new HypeError("download_gone", `${download.name} did not complete: ${download.error ?? download.state}`);
    if (this.saved || this.output !== undefined) return await this.save(client, this.name, download, interrupts.signal);
    if (this.json) this.printJson(download);
    else this.print(`${sanitizeLine(download.name)}  ${bytes(download.received_bytes)}  ${download.id}\n`);
  }
}
