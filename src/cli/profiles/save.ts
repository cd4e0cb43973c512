import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";

export class ProfilesSaveCommand extends ServerCommand {
  static override paths = [["profiles", "save"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Keep a browser's cookies and storage for other VMs",
    details: `
      Cookies, local storage and IndexedDB of all sites, encrypted on the server's disk. What is open in tabs and session storage are not kept.

      With --whole it is the files of Chromium's profile: what no JSON can carry and service workers are in it too, and VMs begin with it
      at once. The VM's browser is closed for it and opened again with the pages that were open.

      With --replace a profile of that name gets the new content; VMs that run keep what they were given.
    `,
    examples: [
      ["Log in once", "$0 profiles save demo --as alice"],
      ["Logged in from the start", "$0 vms create work --profile alice"],
    ],
  });

  name = Option.String();
  as = text("--as", "profile", "Name of the profile: lower-case letters, digits, hyphens");
  replace = flag("--replace", "Put it in the place of the profile's content");

  whole = flag(
    "--whole",
    "Chromium's own files instead: service workers too, quicker to begin with; restarts the browser",
  );

  async execute(): Promise<void> {
    if (this.as === undefined) throw new HypeError("usage", "say how the profile is to be called: --as NAME");
    const { contentOf } = await import("./show.ts");
    const client = await this.client();
    const saved = await client.profiles.save({
      name: this.as,
      vm: this.name,
      replace: this.replace,
      ...(this.whole && { whole: true }),
    });
    if (this.json) return this.printJson(saved);
    this.print(`${saved.name}  ${contentOf(saved)}\n`);
    if (saved.omitted) await this.printForeign(`left out: ${saved.omitted.join("; ")}\n`);
  }
}
