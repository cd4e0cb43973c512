import { Command, Option } from "clipanion";
import type { OperationInput } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import { decimal } from "../arguments/place.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, resolvePath, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { bytes } from "../../text/units.ts";
import { writeOutput } from "../output/write-output.ts";
import { TabCommand } from "./tab-command.ts";

const FORMATS = ["letter", "legal", "tabloid", "ledger", "a0", "a1", "a2", "a3", "a4", "a5", "a6"] as const;

export class PdfCommand extends TabCommand {
  static override paths = [["pdf"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Print the page a VM shows into a PDF",
    details:
      "Sizes are inches. Templates are HTML, in which the classes date, title, url, pageNumber and totalPages are filled in.",
    examples: [
      ["Into a file", "$0 pdf demo -o page.pdf"],
      [
        "A4, the first two pages, numbered",
        `$0 pdf demo --format a4 --pages 1-2 --footer '<b class="pageNumber"></b>'`,
      ],
    ],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default NAME.pdf, - for standard output");
  landscape = flag("--landscape", "Landscape");
  background = flag("--background", "With backgrounds");
  format = text("--format", "format", `Paper: ${FORMATS.join(", ")}; default letter`);
  paper = text("--paper", "WxH", "Paper in inches instead, as 8.5x11");
  margin = text("--margin", "inches", "One for all sides, or top,right,bottom,left");
  scale = text("--scale", "number", "0.1 to 2");
  pages = text("--pages", "ranges", "As 1-5,8; default all");
  header = text("--header", "html", "Template at the top of every page");
  footer = text("--footer", "html", "Template at the bottom of every page");
  cssPageSize = flag("--css-page-size", "The page's own @page size comes first");
  untagged = flag("--untagged", "Without the structure that readers for the blind want");
  outline = flag("--outline", "With bookmarks of the headings");
  keep = flag("--keep", "Keep it on the server's machine as well, see hype artifacts");

  async execute(): Promise<void> {
    const file = this.output ?? `${this.name}.pdf`;
    if (file === "-" && this.context.terminal.stdout)
      throw new HypeError("usage", "a PDF cannot be shown on a terminal: redirect it, or name a file with -o");
    const body = { ...this.#options(), ...this.onTab() };
    const client = await this.client();
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

  /** @throws HypeError usage */
  #options(): Omit<OperationInput<"pdf">, "tab" | "timeout_ms"> {
    if (this.format !== undefined && this.paper !== undefined)
      throw new HypeError("usage", "--format and --paper exclude each other");
    return {
      landscape: this.landscape,
      print_background: this.background,
      ...(this.format === undefined ? {} : { format: oneOf("--format", this.format, FORMATS) }),
      ...(this.paper === undefined ? {} : paper(this.paper)),
      ...(this.margin === undefined ? {} : margins(this.margin)),
      ...(this.scale === undefined ? {} : { scale: decimal("--scale", this.scale) }),
      ...(this.pages === undefined ? {} : { page_ranges: this.pages }),
      // What is not given would be Chromium's own line.
      ...(this.header === undefined && this.footer === undefined
        ? {}
        : {
            display_header_footer: true,
            header_template: this.header ?? "<span></span>",
            footer_template: this.footer ?? "<span></span>",
          }),
      ...(this.cssPageSize ? { prefer_css_page_size: true } : {}),
      ...(this.untagged ? { tagged: false } : {}),
      ...(this.outline ? { outline: true } : {}),
    };
  }
}

function paper(text: string): { paper_width: number; paper_height: number } {
  const [width, height, ...more] = text.split("x");
  if (width === undefined || height === undefined || more.length > 0)
    throw new HypeError("usage", `--paper ${JSON.stringify(text)}: expected WIDTHxHEIGHT in inches, as 8.5x11`);
  return { paper_width: decimal("--paper", width), paper_height: decimal("--paper", height) };
}

function margins(text: string) {
  const sides = text.split(",").map((side) => decimal("--margin", side));
  const [top, right = top, bottom = top, left = top] = sides as [number, ...number[]];
  if (sides.length !== 1 && sides.length !== 4)
    throw new HypeError("usage", `--margin ${JSON.stringify(text)}: expected one number, or top,right,bottom,left`);
  return { margin_top: top, margin_right: right, margin_bottom: bottom, margin_left: left };
}
