import { Command, Option } from "clipanion";
import { CATEGORY, resolvePath, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";
import { plural } from "../../text/units.ts";
import { writeOutput } from "../output/write-output.ts";

export class HarCommand extends ServerCommand {
  static override paths = [["har"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Write the recorded requests as HAR 1.2, for a browser's own tools",
    details: "`hype observe` begins to record.",
    examples: [["With bodies", "$0 har demo --bodies -o demo.har"]],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default NAME.har, - for standard output");
  bodies = flag("--bodies", "With the bodies Chromium still holds");
  keep = flag("--keep", "Keep it on the server's machine as well, see hype artifacts");
  tab = text("--tab", "id", "Only this tab");

  async execute(): Promise<void> {
    const client = await this.client();
    const body = { bodies: this.bodies, ...(this.tab === undefined ? {} : { tab: this.tab }) };
    let artifact: string | undefined;
    const har = await client.browser.operate(this.name, "export-har", body, {
      ...(this.keep ? { keep: true } : {}),
      onKept: (id) => (artifact = id),
    });
    if (this.output === "-") return this.printJson(har);
    const file = this.output ?? `${this.name}.har`;
    await writeOutput(resolvePath(this.context.cwd, file), new TextEncoder().encode(JSON.stringify(har)));
    const entries = har.log.entries.length;
    if (this.json) this.printJson({ file, entries, ...(artifact && { artifact }) });
    else this.print(`${file}  ${plural(entries, "request")}${artifact ? `  kept as ${artifact}` : ""}\n`);
  }
}
