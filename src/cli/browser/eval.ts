import { Command, Option } from "clipanion";
import type { Evaluated } from "../../contract/browser.ts";
import { seconds } from "../arguments/quantities.ts";
import { CATEGORY, readFully, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";
import { safeJson } from "../../text/sanitize.ts";

export class EvalCommand extends ServerCommand {
  static override paths = [["eval"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Run JavaScript in the page and print its value",
    details: `
      The value is printed as JSON; promises are awaited. \`-\` as the expression reads it from standard input; one that begins with a dash goes after \`--\`.

      What JSON has no word for (undefined, NaN, functions) is printed as JavaScript describes it; with --rich all of it (dates, maps, bytes, cycles, …) in the notation of docs/browser.md, Evaluate.
    `,
    examples: [
      ["A value of the page", "$0 eval demo 'document.title'"],
      ["A script from a file", "$0 eval demo - < script.js"],
      ["A map, which JSON has no word for", "$0 eval demo --rich 'new Map([[1, new Date()]])'"],
      ["An expression that looks like an option", "$0 eval demo -- '-1 + 2'"],
    ],
  });

  name = Option.String();
  expression = Option.String();
  raw = flag("-r,--raw", "Print a string as it is, without quotes");
  rich = flag("--rich", "Print values beyond JSON, in a notation of their own");
  timeout = text("--timeout", "duration", "How long it may take: 30s, 2m; default 30s");
  tab = text("--tab", "id", "Tab to run in; default: the one used last");

  async execute(): Promise<void> {
    const expression = this.expression === "-" ? await readFully(this.context.stdin) : this.expression;
    const client = await this.client();
    const evaluated = await client.browser.evaluate(this.name, {
      expression,
      ...(this.rich ? { encoding: "rich" as const } : {}),
      ...(this.timeout === undefined ? {} : { timeout_ms: seconds("--timeout", this.timeout) * 1000 }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    if (this.json) return this.printJson(evaluated);
    await this.printForeign(`${this.words(evaluated)}\n`);
  }

  private words({ value, type, description }: Evaluated): string {
    if (this.raw && typeof value === "string") return value;
    if (this.rich) return safeJson(value, 2);
    if (value === null && description !== null) return description;
    if (value === null && type === "undefined") return "undefined";
    return safeJson(value, 2);
  }
}
