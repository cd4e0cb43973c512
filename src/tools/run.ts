import { HypeError } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import { argumentsFor } from "./arguments.ts";
import { controlSaid } from "./control.ts";
import { joined } from "./markdown.ts";
import { findTool, likelyTools } from "./registry.ts";
import type { Tool, ToolContext, ToolResult } from "./tool.ts";
import { wordError } from "./wording.ts";

/**
 * What became of a call. `ask`: nothing was done yet, a person is to be asked first; call again with `confirm: true` once they agreed.
 * A failure is an outcome, too: it is for the model to read.
 */
export type Outcome =
  | { kind: "done"; result: ToolResult }
  | { kind: "failed"; code: string; text: string }
  | { kind: "ask"; question: string };

/**
 * Calls a tool by name. Never throws.
 * @param args as the caller sent them
 * @param presetVm the one VM this caller's endpoint is for; null: `vm` says which
 */
export async function runTool(
  name: string,
  args: unknown,
  context: ToolContext,
  options: { presetVm: string | null; log: Log },
): Promise<Outcome> {
  try {
    const tool = findTool(name, context.caller.scope);
    if (!tool) return unknownTool(name, context);
    const { input, notes } = argumentsFor(tool, args, options.presetVm);
    const question = tool.question?.(input);
    if (question !== undefined && input.confirm !== true) {
      if (typeof input.vm === "string") context.house.get(input.vm); // nobody is asked about what is not there
      return { kind: "ask", question };
    }
    const result = await tool.handle(input, context);
    const text = joined(result.text, heldNote(tool, input, context), ...notes);
    return { kind: "done", result: { ...result, text } };
  } catch (thrown) {
    return failure(name, thrown, options.log);
  }
}

/** Automation is told, never blocked: who acts on a browser that a person has in hand learns so. */
function heldNote(tool: Tool, input: Record<string, unknown>, { house }: ToolContext): string | null {
  if (tool.effect === "read" || tool.group === "vms" || typeof input.vm !== "string") return null;
  try {
    const { name, control } = house.get(input.vm);
    return control && `Note: ${controlSaid(name, control)} Leave it to them; vm_control with wait: returned waits.`;
  } catch {
    return null; // it is gone: what was done is done
  }
}

/** The words for what went wrong; a bug goes to the log under a short reference. */
export function failure(name: string, thrown: unknown, log: Log): Outcome & { kind: "failed" } {
  const error =
    thrown instanceof HypeError
      ? thrown
      : new HypeError("internal", "something went wrong inside hype", {}, { cause: thrown });
  if (error.code !== "internal") return { kind: "failed", code: error.code, text: wordError(error) };
  const ref = crypto.randomUUID().slice(0, 8);
  log.error(error.message, { ref, tool: name.slice(0, 100), cause: error.cause ?? error });
  return { kind: "failed", code: error.code, text: wordError(error, ref) };
}

function unknownTool(name: string, { caller }: ToolContext): Outcome {
  const likely = likelyTools(name, caller.scope);
  const hint = likely.length > 0 ? `Did you mean ${likely.join(" or ")}?` : "See the list of tools.";
  return {
    kind: "failed",
    code: "not_found",
    text: `Error (unknown_tool): there is no tool ${JSON.stringify(name.slice(0, 100))} for this key. ${hint}`,
  };
}
