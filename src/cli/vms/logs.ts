import { Command, Option } from "clipanion";
import { LogSource } from "../../contract/system.ts";
import { oneOf, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand, writeFully } from "../command.ts";
import { INTERRUPTED } from "../interrupts.ts";
import { flag, text } from "../option.ts";
import { safeJson } from "../../text/sanitize.ts";

export class LogsCommand extends ServerCommand {
  static override paths = [["vms", "logs"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Show a VM's logs",
    details: `
      Sources: the guest's serial console, the agent inside the guest, the hypervisor's own output (vmm).

      On a terminal control characters are shown, not acted on. With --json one line of log a line (NDJSON).
    `,
    examples: [["Follow the console", "$0 vms logs demo -f"]],
  });

  name = Option.String();
  source = text("--source", "source", `One of ${LogSource.options.join(", ")}; default console`);
  tail = text("-n,--tail", "lines", "Lines from the end to begin with; default 200");
  follow = flag("-f,--follow", "Go on until the VM is deleted or Ctrl-C");

  async execute(): Promise<number> {
    const source = oneOf("--source", this.source ?? "console", LogSource.options);
    const tail = this.tail === undefined ? {} : { tail: wholeNumber("--tail", this.tail) };
    const client = await this.client();
    using interrupts = this.context.catchInterrupts();
    const pieces = client.vms.logs(this.name, { source, ...tail, follow: this.follow, signal: interrupts.signal });
    try {
      await this.showAll(pieces, source);
    } catch (thrown) {
      if (!interrupts.signal.aborted) throw thrown;
    }
    return interrupts.signal.aborted ? INTERRUPTED : 0;
  }

  /** Pieces end anywhere; what is shown are whole lines. */
  private async showAll(pieces: AsyncIterable<string>, source: string): Promise<void> {
    let rest = "";
    for await (const piece of pieces) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      await this.show(lines, source);
    }
    if (rest !== "") await this.show([rest], source);
  }

  private async show(lines: string[], source: string): Promise<void> {
    if (lines.length === 0) return;
    if (!this.json) return this.printForeign(lines.map((line) => `${line}\n`).join(""));
    const words = lines.map((line) => `${safeJson({ source, line: line.replace(/\r$/, "") })}\n`);
    await writeFully(this.context.stdout, words.join(""));
  }
}
