import type { Client } from "../../client/types.ts";
import type { Download } from "../../contract/download.ts";
import { HypeError } from "../../contract/errors.ts";
import { resolvePath, ServerCommand, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { saveStream } from "../output/save-stream.ts";
import { bytes } from "../../text/units.ts";
import { localName } from "./pick.ts";

/** A command that ends with a download in a file of this machine. */
export abstract class SaveCommand extends ServerCommand {
  output = text("-o,--output", "file", "Where to; default: the download's own name, - for standard output");
  force = flag("--force", "Overwrite a file that is there");

  /** Follows a download that still arrives. @throws HypeError usage | disk_full | download_gone */
  protected async save(client: Client, vm: string, download: Download, signal: AbortSignal): Promise<void> {
    const file = this.output ?? localName(download.name);
    if (file === "-" && this.context.terminal.stdout)
      throw new HypeError("usage", "a file is not shown on a terminal: redirect it, or name a file with -o");
    const read = await client.browser.download(vm, download.id, { signal });
    if (file === "-") {
      for await (const piece of read.bytes) await writeFully(this.context.stdout, piece);
      return;
    }
    const size = await saveStream(resolvePath(this.context.cwd, file), read.bytes, this.force);
    if (this.json) this.printJson({ file, bytes: size, download });
    else this.print(`${file}  ${bytes(size)}\n`);
  }
}
