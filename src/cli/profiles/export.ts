import { existsSync, rmSync } from "node:fs";
import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, resolvePath, ServerCommand, writeFully } from "../command.ts";
import { flag, text } from "../option.ts";
import { writeOutput } from "../output/write-output.ts";

export class ProfilesExportCommand extends ServerCommand {
  static override paths = [["profiles", "export"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Write a profile's content: Playwright's storageState, or the archive of a whole one",
    details:
      "The file holds logins, in the clear: it is written for you alone (mode 0600). A whole profile is a tar archive, compressed by Zstandard.",
    examples: [
      ["For another machine, or for Playwright", "$0 profiles export alice -o alice.json"],
      ["One that was saved with --whole", "$0 profiles export carol -o carol.tar.zst"],
    ],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default: standard output");
  force = flag("--force", "Write over a file that is there");

  async execute(): Promise<void> {
    const file = this.output === undefined || this.output === "-" ? null : resolvePath(this.context.cwd, this.output);
    if (file !== null && !this.force && existsSync(file))
      throw new HypeError("usage", `${this.output} is there already: --force writes over it`);
    const client = await this.client();
    if ((await client.profiles.get(this.name)).kind === "whole") return await this.#archive(client, file);
    const state = await client.profiles.export(this.name);
    if (file === null) return await writeFully(this.context.stdout, state);
    if (this.force) rmSync(file, { force: true }); // a new file is nobody else's from its first byte
    await writeOutput(file, state, 0o600);
    if (this.json) this.printJson({ file: this.output, bytes: state.length });
    else this.print(`${this.output}  ${state.length} bytes\n`);
  }

  async #archive(client: Client, file: string | null): Promise<void> {
    if (file === null && this.context.terminal.stdout)
      throw new HypeError("usage", "an archive is not shown on a terminal: redirect it, or name a file with -o");
    using interrupts = this.context.catchInterrupts();
    const { saveStream } = await import("../output/save-stream.ts");
    const { bytes } = await client.profiles.exportArchive(this.name, { signal: interrupts.signal });
    if (file === null) {
      for await (const piece of bytes) await writeFully(this.context.stdout, piece);
      return;
    }
    const size = await saveStream(file, bytes, this.force, 0o600);
    if (this.json) this.printJson({ file: this.output, bytes: size });
    else this.print(`${this.output}  ${size} bytes\n`);
  }
}
