import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, resolvePath, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { bytes } from "../../text/units.ts";
import { writeOutput } from "../output/write-output.ts";
import { TabCommand } from "./tab-command.ts";

export class PdfCommand extends TabCommand {
  static override paths = [["pdf"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print the page a VM shows into a PDF",
    examples: [["Into a file", "$0 pdf demo -o page.pdf"]],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default NAME.pdf, - for standard output");
  landscape = flag("--landscape", "Landscape");
  background = flag("--background", "With backgrounds");
  keep = flag("--keep", "Keep it on the server's machine as well, see hype artifacts");

  async execute(): Promise<void> {
    const file = this.output ?? `${this.name}.pdf`;
    if (file === "-" && this.context.terminal.stdout)
      throw new HypeError("usage", "a PDF cannot be shown on a terminal: redirect it, or name a file with -o");
    const client = await this.client();
    const body = { landscape: this.landscape, print_background: this.background, ...this.onTab() };
    let artifact: string | undefined;
    const pdf = await client.browser.operateForBytes(this.name, "pdf", body, {
      ...(this.keep ? { keep: true } : {}),
      onKept: (id) => (artifact = id),
    });
    if (file === "-") return await writeFully(this.context.stdout, pdf);
    await writeOutput(resolvePath(this.context.cwd, file), pdf);
    if (this.json) this.printJson({ file, bytes: pdf.length, ...(artifact && { artifact }) });
    else this.print(`${file}  ${bytes(pdf.length)}${artifact ? `  kept as ${artifact}` : ""}\n`);
  }
}
