import { Command, Option } from "clipanion";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text, texts } from "../option.ts";
import { shorten } from "../output/shorten.ts";
import { table } from "../output/table.ts";

export class CookiesCommand extends ServerCommand {
  static override paths = [["cookies"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "List the cookies of a VM's browser",
    details: "Values are logins: they are shown with --values and in --json only.",
    examples: [
      ["All", "$0 cookies demo"],
      ["What a site is sent", "$0 cookies demo --url https://example.com/ --values"],
    ],
  });

  name = Option.String();
  urls = texts("--url", "url", "Only those sent there; can be given several times");
  values = flag("--values", "With their values");
  tab = text("--tab", "id", "A tab whose cookies are meant; default: the browser's own");

  async execute(): Promise<void> {
    const client = await this.client();
    const cookies = await client.browser.operate(this.name, "get-cookies", {
      ...(this.urls.length === 0 ? {} : { urls: this.urls }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    if (this.json) return this.printJson(cookies);
    if (cookies.items.length === 0) return this.print("no cookies\n");
    this.print(
      table(
        [
          { title: "NAME", value: (cookie) => shorten(cookie.name, 60) },
          { title: "DOMAIN", value: (cookie) => shorten(cookie.domain, 60) },
          { title: "PATH", value: (cookie) => shorten(cookie.path, 40) },
          ...(this.values
            ? [{ title: "VALUE", value: (cookie: { value: string }) => shorten(cookie.value, 200) }]
            : []),
        ],
        cookies.items,
        this.context.paint.stdout.bold,
      ),
    );
  }
}
