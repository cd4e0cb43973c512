import { Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { ServerCommand } from "../command.ts";
import { reportError } from "../report-error.ts";

/**
 * A command that does one thing to each VM it names, at the same time: one that fails does not hold up the others.
 * Results are told in the order of the names; the exit code is that of the first failure.
 */
export abstract class EachVmCommand extends ServerCommand {
  names = Option.Rest({ name: "name", required: 1 });

  /** "Stopping": shown on a terminal while it lasts. */
  protected abstract readonly doing: string;

  /** What to tell when it is done: words for people, a value for machines. */
  protected abstract act(client: Client, name: string): Promise<{ words: string; value: unknown }>;

  async execute(): Promise<number> {
    return await this.actOnAll(await this.client(), this.names);
  }

  protected async actOnAll(client: Client, names: readonly string[]): Promise<number> {
    const chosen = [...new Set(names)];
    using progress = this.progress(!this.context.terminal.stderr);
    if (chosen.length > 0) progress.step(`${this.doing} ${chosen.join(", ")}`);
    const results = await Promise.allSettled(chosen.map((name) => this.act(client, name)));
    progress[Symbol.dispose]();
    let exitCode = 0;
    for (const result of results) {
      if (result.status === "rejected") {
        const failed = reportError(result.reason, this.json, this.context);
        if (exitCode === 0) exitCode = failed;
      } else if (this.json) this.printJson(result.value.value);
      else this.print(`${result.value.words}\n`);
    }
    return exitCode;
  }
}
