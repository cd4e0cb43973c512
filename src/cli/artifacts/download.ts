import { Command, Option } from "clipanion";
import type { Artifact } from "../../contract/artifact.ts";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, resolvePath, ServerCommand, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { bytes } from "../../text/units.ts";

export class ArtifactsDownloadCommand extends ServerCommand {
  static override paths = [["artifacts", "download"]];
  static override usage = Command.Usage({
    category: CATEGORY.artifacts,
    description: "Save an artifact on this machine",
    details:
      "Its SHA-256 is checked; a file that does not come whole does not stay. A file that is there is kept unless --force.",
    examples: [
      ["Under its own name", "$0 artifacts download 01993b2e-6d7a-7000-8000-0123456789ab"],
      ["Elsewhere", "$0 artifacts download 01993b2e-6d7a-7000-8000-0123456789ab -o /tmp/page.png"],
    ],
  });

  id = Option.String();
  output = text("-o,--output", "file", "Where to; default: its own name, - for standard output");
  force = flag("--force", "Overwrite a file that is there");

  async execute(): Promise<void> {
    if (this.output === "-" && this.context.terminal.stdout)
      throw new HypeError("usage", "a file is not shown on a terminal: redirect it, or name a file with -o");
    using interrupts = this.context.catchInterrupts();
    const { cleanFileName } = await import("../../contract/artifact.ts");
    const { saveStream } = await import("../output/save-stream.ts");
    const client = await this.client();
    const artifact = await client.artifacts.get(this.id);
    const content = await client.artifacts.content(this.id, { signal: interrupts.signal });
    const pieces = checked(content.bytes, artifact);
    if (this.output === "-") {
      for await (const piece of pieces) await writeFully(this.context.stdout, piece);
      return;
    }
    const file = this.output ?? cleanFileName(artifact.name, artifact.kind);
    const size = await saveStream(resolvePath(this.context.cwd, file), pieces, this.force);
    if (this.json) this.printJson({ file, bytes: size, sha256: artifact.sha256 });
    else this.print(`${file}  ${bytes(size)}\n`);
  }
}

/** The same bytes. @throws HypeError artifact_damaged after the last one, when they are not those that were kept */
async function* checked(pieces: AsyncIterable<Uint8Array>, { id, sha256 }: Artifact): AsyncGenerator<Uint8Array> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest("hex");
  if (found !== sha256)
    throw new HypeError("artifact_damaged", `what came of artifact ${id} has SHA-256 ${found} instead of ${sha256}`, {
      artifact: id,
    });
}
