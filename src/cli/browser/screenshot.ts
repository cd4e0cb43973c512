import { extname } from "node:path";
import { Command, Option } from "clipanion";
import { Screenshot } from "../../contract/browser.ts";
import { HypeError } from "../../contract/errors.ts";
import { element } from "../arguments/element.ts";
import { decimal, rectangle } from "../arguments/place.ts";
import { oneOf, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, resolvePath, ServerCommand, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { bytes } from "../../text/units.ts";
import { writeOutput } from "../output/write-output.ts";

const FORMATS = Screenshot.entries.format.wrapped.options;
type Format = (typeof FORMATS)[number];
const FORMAT_OF: Record<string, Format> = { ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp" };

export class ScreenshotCommand extends ServerCommand {
  static override paths = [["screenshot"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Save a picture of the page a VM shows",
    details: "The format follows the file's ending. `-o -` writes the picture to standard output.",
    examples: [
      ["Into a file", "$0 screenshot demo -o page.png"],
      ["One element, sharp", "$0 screenshot demo --element e7 --scale 2"],
      ["The whole page, not just what fits", "$0 screenshot demo -o page.webp --full-page"],
    ],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default NAME.png (or the format's ending)");
  format = text("--format", "format", `One of ${FORMATS.join(", ")}`);
  quality = text("--quality", "percent", "1 to 100, for jpeg and webp");
  element = text("--element", "element", "Only this: a ref or a selector");
  clip = text("--clip", "x,y,w,h", "Only this part of the page, CSS pixels");
  scale = text("--scale", "number", "Pixels of the picture per CSS pixel");
  fullPage = flag("--full-page", "The whole page");
  keep = flag("--keep", "Keep it on the server's machine as well, see hype artifacts");
  tab = text("--tab", "id", "Tab to take; default: the one used last");

  async execute(): Promise<void> {
    const format = this.chooseFormat();
    const file = this.output ?? `${this.name}.${format === "jpeg" ? "jpg" : format}`;
    if (file === "-" && this.context.terminal.stdout)
      throw new HypeError("usage", "a picture cannot be shown on a terminal: redirect it, or name a file with -o");
    const client = await this.client();
    let artifact: string | undefined;
    const picture = await client.browser.screenshot(
      this.name,
      {
        format,
        full_page: this.fullPage,
        ...(this.element === undefined ? {} : element(this.element)),
        ...(this.clip === undefined ? {} : { clip: rectangle("--clip", this.clip) }),
        ...(this.scale === undefined ? {} : { scale: decimal("--scale", this.scale) }),
        ...(this.quality === undefined ? {} : { quality: wholeNumber("--quality", this.quality) }),
        ...(this.tab === undefined ? {} : { tab: this.tab }),
      },
      { ...(this.keep ? { keep: true } : {}), onKept: (id) => (artifact = id) },
    );
    if (file === "-") return await writeFully(this.context.stdout, picture);
    await writeOutput(resolvePath(this.context.cwd, file), picture);
    if (this.json) this.printJson({ file, format, bytes: picture.length, ...(artifact && { artifact }) });
    else this.print(`${file}  ${bytes(picture.length)}${artifact ? `  kept as ${artifact}` : ""}\n`);
  }

  private chooseFormat(): Format {
    if (this.format !== undefined) return oneOf("--format", this.format, FORMATS);
    const ending = extname(this.output ?? "").toLowerCase();
    const format = FORMAT_OF[ending];
    if (ending !== "" && format === undefined)
      throw new HypeError("usage", `${ending} is not a picture format: use .png, .jpg or .webp, or give --format`);
    return format ?? "png";
  }
}
