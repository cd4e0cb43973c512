import { Command, Option } from "clipanion";
import { ARCHIVE_MAGIC } from "../../contract/profile-archive.ts";
import { CATEGORY, resolvePath, ServerCommand } from "../command.ts";
import { flag } from "../option.ts";
import { readState } from "../state/read-state.ts";

export class ProfilesImportCommand extends ServerCommand {
  static override paths = [["profiles", "import"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Make a profile from a storageState file of hype or Playwright, or from a whole profile's archive",
    details:
      "All or nothing: a state with a bad cookie is refused, each named, and an archive that no browser would take. - reads a state from standard input.",
    examples: [
      ["From another machine", "$0 profiles import alice alice.json"],
      ["One that was saved with --whole", "$0 profiles import carol carol.tar.zst"],
    ],
  });

  name = Option.String();
  file = Option.String();
  replace = flag("--replace", "Put it in the place of the profile's content");

  async execute(): Promise<void> {
    const { contentOf } = await import("./show.ts");
    const archive = await archiveIn(this.file, this.context.cwd);
    if (archive) {
      using interrupts = this.context.catchInterrupts();
      const options = { replace: this.replace, signal: interrupts.signal };
      const kept = await (await this.client()).profiles.importArchive(this.name, archive, options);
      return this.json ? this.printJson(kept) : this.print(`${kept.name}  ${contentOf(kept)}\n`);
    }
    const state = await readState(this.file, this.context);
    const client = await this.client();
    const kept = await client.profiles.import(this.name, { state, replace: this.replace });
    if (this.json) return this.printJson(kept);
    const expired = kept.expired > 0 ? `; ${kept.expired} cookies were over and are left out` : "";
    this.print(`${kept.name}  ${contentOf(kept)}${expired}\n`);
  }
}

/** The file, where it is compressed as archives are; null for all else, which may be a state. */
async function archiveIn(name: string, cwd: string): Promise<Blob | null> {
  if (name === "-") return null;
  const file = Bun.file(resolvePath(cwd, name));
  const head = await file
    .slice(0, ARCHIVE_MAGIC.length)
    .bytes()
    .catch(() => new Uint8Array());
  return ARCHIVE_MAGIC.every((byte, at) => head[at] === byte) ? file : null;
}
