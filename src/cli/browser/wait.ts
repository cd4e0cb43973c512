import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY } from "../command.ts";
import { flag, text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { TabCommand } from "./tab-command.ts";

export class WaitCommand extends TabCommand {
  static override paths = [["wait"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Wait until a page shows something",
    examples: [
      ["Words", "$0 wait demo --text 'Order placed'"],
      ["An element, at most ten seconds", "$0 wait demo --selector '#result' --timeout 10s"],
    ],
  });

  name = Option.String();
  selector = text("--selector", "selector", "Until this element is visible");
  words = text("--text", "words", "Until the page shows these words");
  gone = text("--text-gone", "words", "Until it shows them no more");
  url = text("--url", "pattern", "Until the address matches: glob (* ** ?) or /pattern/flags");
  condition = text("--function", "script", "Until this expression of the page is true");
  idle = flag("--network-idle", "Until nothing has been fetched for half a second");
  load = text("--load", "event", "Until the page has come so far: domcontentloaded or load");
  dialog = flag("--dialog", "Until the page opens a dialog");

  async execute(): Promise<void> {
    const conditions = {
      ...(this.selector === undefined ? {} : { selector: this.selector }),
      ...(this.words === undefined ? {} : { text: this.words }),
      ...(this.gone === undefined ? {} : { text_gone: this.gone }),
      ...(this.url === undefined ? {} : { url: this.url }),
      ...(this.condition === undefined ? {} : { function: this.condition }),
      ...(this.idle ? { network_idle: true as const } : {}),
      ...(this.load === undefined ? {} : { load: oneOf("--load", this.load, ["domcontentloaded", "load"]) }),
      ...(this.dialog ? { dialog: true as const } : {}),
    };
    if (Object.keys(conditions).length !== 1) throw new HypeError("usage", "name one thing to wait for");
    const client = await this.client();
    const waited = await client.browser.operate(this.name, "wait", { ...conditions, ...this.onTab() });
    if (!this.json && waited.dialog)
      return this.print(`${sanitizeLine(`${waited.dialog.type}: ${waited.dialog.message}`)}\n`);
    this.tellPage(waited);
  }
}
