import { Command, Option } from "clipanion";
import type { VmEvent } from "../../contract/event.ts";
import { wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand, writeFully } from "../command.ts";
import { INTERRUPTED } from "../interrupts.ts";
import { text } from "../option.ts";
import { safeJson, sanitizeLine } from "../../text/sanitize.ts";
import { pad } from "../output/table.ts";

export class WatchCommand extends ServerCommand {
  static override paths = [["vms", "watch"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Tell every change of the VMs, or of one, as it happens",
    details: "Runs until Ctrl-C. With --json one event a line (NDJSON).",
    examples: [
      ["All VMs", "$0 vms watch"],
      ["Everything since an event already seen", "$0 vms watch --after 120 --json"],
    ],
  });

  name = Option.String({ required: false });
  after = text("--after", "seq", "Begin after this event's number; default: from now on");

  async execute(): Promise<number> {
    const after = this.after === undefined ? {} : { after: wholeNumber("--after", this.after) };
    const client = await this.client();
    using interrupts = this.context.catchInterrupts();
    // A name may belong to one VM after another: both are told.
    const name = this.name && (await this.nameOf(this.name, client));
    for await (const event of client.events.stream({ ...after, signal: interrupts.signal })) {
      if (name !== undefined && event.vm_name !== name) continue;
      await writeFully(this.context.stdout, this.json ? `${safeJson(event)}\n` : this.line(event));
    }
    return interrupts.signal.aborted ? INTERRUPTED : 0;
  }

  /** Accepts an id as well; a name that is not there yet is fine: it may come. */
  private async nameOf(ref: string, client: Awaited<ReturnType<ServerCommand["client"]>>): Promise<string> {
    if (ref.length !== 36) return ref;
    return (await client.vms.get(ref)).name;
  }

  private line(event: VmEvent): string {
    const paint = this.context.paint.stdout;
    const time = new Date(event.at).toTimeString().slice(0, 8);
    const data = Object.entries(event.data)
      .filter(([, value]) => value !== null && typeof value !== "object")
      .map(([key, value]) => `${key}=${value}`)
      .join(" ");
    return `${paint.dim(time)}  ${pad(sanitizeLine(event.vm_name), 16)}  ${pad(event.type, 16)}  ${paint.dim(sanitizeLine(data))}\n`;
  }
}
