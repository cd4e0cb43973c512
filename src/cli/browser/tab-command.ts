import { seconds } from "../arguments/quantities.ts";
import { ServerCommand } from "../command.ts";
import { text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { shorten } from "../output/shorten.ts";

/** A command that does one thing to a tab. */
export abstract class TabCommand extends ServerCommand {
  tab = text("--tab", "id", "Tab to use; default: the one used last");
  timeout = text("--timeout", "duration", "How long it may take: 30s, 2m");

  /** @throws HypeError usage */
  protected onTab(): { tab?: string; timeout_ms?: number } {
    return {
      ...(this.tab === undefined ? {} : { tab: this.tab }),
      ...(this.timeout === undefined ? {} : { timeout_ms: seconds("--timeout", this.timeout) * 1000 }),
    };
  }

  /** Where the tab is now. */
  protected tellPage(page: { url: string; title: string }): void {
    if (this.json) return this.printJson(page);
    const title = page.title === "" ? "(no title)" : page.title;
    this.print(`${this.context.paint.stdout.bold(sanitizeLine(title))}  ${sanitizeLine(shorten(page.url, 200))}\n`);
  }
}
