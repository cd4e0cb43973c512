import { Command, Option } from "clipanion";
import { HypeError, messageOf } from "../../contract/errors.ts";
import type { BytesOperation, JsonOperation, OperationInput } from "../../client/types.ts";
import { CATEGORY, readFully, resolvePath, ServerCommand, writeFully } from "../command.ts";
import { text } from "../option.ts";
import { bytes } from "../../text/units.ts";
import { writeOutput } from "../output/write-output.ts";

export class CallCommand extends ServerCommand {
  static override paths = [["call"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Do any operation of the HTTP API to a VM's browser",
    details:
      "Operations and their fields stand in docs/http-api.md, Browser. The body is JSON, `-` reads it from standard input. " +
      "The reply is printed as JSON; where it is bytes, -o names a file.",
    examples: [
      ["Emulate a phone", `$0 call demo emulate '{"viewport":{"width":390,"height":844},"mobile":true,"touch":true}'`],
      ["Several actions at once", "$0 call demo actions - < actions.json"],
      ["A body that was recorded", `$0 call demo get-body '{"id":"12"}' -o body.bin`],
    ],
  });

  name = Option.String();
  operation = Option.String();
  body = Option.String({ required: false });
  output = text("-o,--output", "file", "Where bytes go; - for standard output");

  async execute(): Promise<void> {
    if (!/^[a-z][a-z-]{0,40}$/.test(this.operation))
      throw new HypeError("usage", `${JSON.stringify(this.operation)} is not the name of an operation`);
    const given = this.body ?? "{}";
    const body = parse(given === "-" ? await readFully(this.context.stdin) : given);
    const client = await this.client();
    if (this.output === undefined) {
      // The table of operations is the server's: what it does not know it refuses by name.
      const reply = await client.browser.operate(
        this.name,
        this.operation as JsonOperation,
        body as OperationInput<JsonOperation>,
      );
      return this.printJson(reply);
    }
    const reply = await client.browser.operateForBytes(
      this.name,
      this.operation as BytesOperation,
      body as OperationInput<BytesOperation>,
    );
    if (this.output === "-") return await writeFully(this.context.stdout, reply);
    await writeOutput(resolvePath(this.context.cwd, this.output), reply);
    if (this.json) this.printJson({ file: this.output, bytes: reply.length });
    else this.print(`${this.output}  ${bytes(reply.length)}\n`);
  }
}

/** @throws HypeError usage */
function parse(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (thrown) {
    throw new HypeError("usage", `the body is not JSON: ${messageOf(thrown)}`);
  }
  throw new HypeError("usage", "the body must be a JSON object");
}
