import { basename } from "node:path";
import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { HypeError, messageOf } from "../../contract/errors.ts";
import type { Upload } from "../../contract/upload.ts";
import { element } from "../arguments/element.ts";
import { CATEGORY, resolvePath } from "../command.ts";
import { text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { bytes } from "../../text/units.ts";
import { TabCommand } from "./tab-command.ts";

export class UploadCommand extends TabCommand {
  static override paths = [["upload"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Put files of this machine into a VM, and into a file input",
    details:
      "They stay in the VM under their names until it stops, for file inputs. With --into they are put into one at once: a ref of `hype snapshot` or a selector.",
    examples: [
      ["Into a form", "$0 upload demo photo.jpg --into 'input[type=file]'"],
      ["For later", "$0 upload demo a.csv b.csv"],
    ],
  });

  name = Option.String();
  files = Option.Rest({ name: "file", required: 1 });
  into = text("--into", "element", "File input to put them into: a ref or a selector");

  async execute(): Promise<void> {
    const paths = this.files.map((file) => resolvePath(this.context.cwd, file));
    const names = paths.map((path) => basename(path));
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new HypeError("usage", `two of the files are named ${twice}`);
    using interrupts = this.context.catchInterrupts();
    const client = await this.client();
    const uploads: Upload[] = [];
    for (const [index, path] of paths.entries())
      uploads.push(await this.send(client, path, names[index]!, interrupts.signal));
    const page =
      this.into === undefined
        ? undefined
        : await client.browser.operate(this.name, "upload", { ...element(this.into), files: names, ...this.onTab() });
    if (this.json) return this.printJson({ uploads, ...(page && { page }) });
    for (const upload of uploads) this.print(`${sanitizeLine(upload.name)}  ${bytes(upload.bytes)}\n`);
    if (page) this.tellPage(page);
  }

  private async send(client: Client, path: string, name: string, signal: AbortSignal): Promise<Upload> {
    const file = Bun.file(path);
    const found = await file.stat().catch((thrown: unknown) => {
      throw new HypeError("usage", `${path} cannot be read: ${messageOf(thrown)}`);
    });
    if (!found.isFile()) throw new HypeError("usage", `${path} is not a file`);
    return await client.browser.upload(this.name, name, file, { signal });
  }
}
