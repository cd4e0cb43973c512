import type { Interrupt } from "@ag-ui/core";
import type { AguiOperation } from "../contract/agui.ts";
import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { argumentsFor } from "../tools/arguments.ts";
import { joined } from "../tools/markdown.ts";
import { findTool, likelyTools, takesVm } from "../tools/registry.ts";
import type { Progress, Tool, ToolResult } from "../tools/tool.ts";
import { wordError } from "../tools/wording.ts";
import { handedOver } from "./hand-over.ts";
import type { Run } from "./services.ts";
import { contentOf } from "./tool-content.ts";

/** Arguments of one call as JSON, characters. */
const ARGUMENT_CHARACTERS = 1_048_576;

/** What became of one operation, as the run's result tells it. */
export type Done = {
  tool: string;
  title: string;
  ok: boolean;
  text: string;
  structured?: Record<string, unknown>;
  error?: { code: string; message: string };
};

export type Outcome = { done: Done } | { interrupt: Interrupt };

/** How a call comes: as a new one, or as one that an earlier run left open, with a person's word on it. */
export type Approval = { toolCallId: string; confirmed: boolean; forced: boolean };

/** A bug of ours: it ends the run. */
export class Fault extends Error {
  constructor(readonly ref: string) {
    super(`something went wrong inside hype (ref ${ref})`);
  }
}

/**
 * Does one operation: a step, the call with its arguments, how far it is, its result, and what it changed. What a person is to be asked
 * first is asked: then nothing was done yet, and `rest` waits with it.
 * @throws Fault; the reason of the run's signal when it ends meanwhile
 */
export async function runOperation(
  run: Run,
  operation: AguiOperation,
  rest: AguiOperation[],
  approval?: Approval,
): Promise<Outcome> {
  const { writer } = run;
  const tool = findTool(operation.tool, run.caller.key.scope);
  const step = writer.step(tool?.title ?? operation.tool);
  try {
    const toolCallId = approval?.toolCallId ?? announce(run, operation);
    return await answer(run, tool, operation, rest, toolCallId, approval);
  } finally {
    step.end();
  }
}

/** The call and its arguments, whole. */
function announce({ writer }: Run, { tool, arguments: given }: AguiOperation): string {
  const call = writer.toolCall(tool);
  call.add(JSON.stringify(given).slice(0, ARGUMENT_CHARACTERS));
  call.end();
  return call.id;
}

/** From the call that was announced to its result. A model's calls were announced while it spoke. */
export async function answer(
  run: Run,
  tool: Tool | undefined,
  operation: AguiOperation,
  rest: AguiOperation[] | null,
  toolCallId: string,
  approval?: Approval,
): Promise<Outcome> {
  const { writer, caller, signal } = run;
  try {
    if (!tool) throw unknownTool(operation.tool, caller.key.scope);
    if (JSON.stringify(operation.arguments).length > ARGUMENT_CHARACTERS)
      throw new HypeError("payload_too_large", `the arguments may hold at most ${ARGUMENT_CHARACTERS} characters`);
    const isAgreed = approval?.confirmed && tool.question;
    const given = isAgreed ? { ...operation.arguments, confirm: true } : operation.arguments;
    const { input, notes } = argumentsFor(tool, given, caller.preset);
    const question = questionOf(run, tool, input, approval);
    if (question) {
      const { threadId } = run.input;
      const asker = { caller: caller.key.id, threadId, vm: caller.preset };
      const said = { confirmed: approval?.confirmed ?? false, forced: approval?.forced ?? false };
      const waiting = { operation, toolCallId, rest, why: question.why, ...said };
      return { interrupt: run.services.interrupts.ask(asker, waiting, question.message) };
    }
    const handled = await handle(run, tool, input, toolCallId);
    const result = { ...handled, text: joined(handled.text, ...notes) };
    if (tool.handsOver) {
      tellChange(run, input, null);
      return { interrupt: handedOver(run, operation, input, result, { toolCallId, rest }) };
    }
    writer.toolResult(toolCallId, contentOf(result));
    tellChange(run, input, result);
    const { text, structured } = result;
    return { done: { tool: tool.name, title: tool.title, ok: true, text, ...(structured ? { structured } : {}) } };
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    const error =
      thrown instanceof HypeError ? thrown : new HypeError("internal", messageOf(thrown), {}, { cause: thrown });
    const ref = error.code === "internal" ? crypto.randomUUID().slice(0, 8) : undefined;
    const text = wordError(error, ref);
    writer.toolResult(toolCallId, text);
    tellChange(run, operation.arguments, null);
    if (ref) {
      run.services.log.error(error.message, { ref, tool: operation.tool, cause: error.cause ?? error });
      throw new Fault(ref);
    }
    const title = tool?.title ?? operation.tool;
    return {
      done: { tool: operation.tool, title, ok: false, text, error: { code: error.code, message: error.message } },
    };
  }
}

async function handle(run: Run, tool: Tool, input: Record<string, unknown>, toolCallId: string): Promise<ToolResult> {
  const { caller, services, signal, writer } = run;
  const id = `${caller.key.id}/agui/${run.input.threadId}`;
  const activity = `progress-${toolCallId}`;
  const type = tool.group === "vms" ? "vm_boot" : "tool_progress";
  let isTold = false;
  const percentOf = ({ done, total }: Progress) => (total ? Math.min(100, Math.round((done / total) * 100)) : null);
  const progress = (report: Progress): void => {
    const percent = percentOf(report);
    if (isTold)
      return writer.activityDelta(activity, type, [
        { op: "replace", path: "/phase", value: report.message },
        { op: "replace", path: "/percent", value: percent },
      ]);
    isTold = true;
    writer.activity(activity, type, {
      tool: tool.name,
      vm: typeof input.vm === "string" ? input.vm : typeof input.name === "string" ? input.name : null,
      phase: report.message,
      percent,
    });
  };
  const startedAt = performance.now();
  const note = (error: HypeError | null) => {
    const vm = typeof input.vm === "string" ? input.vm : null;
    if (tool.effect !== "read")
      caller.noteChange({ tool: tool.name, vm, error, durationMs: performance.now() - startedAt });
  };
  try {
    const result = await tool.handle(input, {
      house: caller.house,
      caller: { ...caller.key, id },
      tabs: services.tabs.of(id),
      signal,
      progress,
    });
    note(null);
    if (isTold) progress({ done: 1, total: 1, message: "done" });
    return result;
  } catch (thrown) {
    note(thrown instanceof HypeError ? thrown : new HypeError("internal", messageOf(thrown)));
    if (isTold) progress({ done: 0, message: "failed" });
    throw thrown;
  }
}

function unknownTool(name: string, scope: Run["caller"]["key"]["scope"]): HypeError {
  const likely = likelyTools(name, scope);
  return new HypeError(
    "invalid_request",
    `there is no tool ${name.slice(0, 100)}${likely.length > 0 ? `; did you mean ${likely.join(" or ")}?` : ""}`,
  );
}

/** What a person has to say first; null: nothing. */
function questionOf(
  { caller }: Run,
  tool: Tool,
  input: Record<string, unknown>,
  approval: Approval | undefined,
): { why: "confirm" | "control"; message: string } | null {
  const vm = typeof input.vm === "string" ? vmOrNull(() => caller.house.get(input.vm as string)) : null;
  if (tool.question && input.confirm !== true) {
    if (typeof input.vm === "string" && !vm) caller.house.get(input.vm); // nobody is asked about what is not there
    return { why: "confirm", message: tool.question(input) };
  }
  const isOnBrowser = tool.effect !== "read" && takesVm(tool) && tool.group !== "vms";
  const control = isOnBrowser && !approval?.forced ? vm?.control : null;
  if (!control) return null;
  const who = control.label ?? "A person";
  return {
    why: "control",
    message: `${who} has the browser of ${vm?.name} in hand since ${control.since}. Approve when it is given back, or force to go on at once.`,
  };
}

function vmOrNull(find: () => Vm): Vm | null {
  try {
    return find();
  } catch {
    return null;
  }
}

/** What was done is seen at once, before any event tells of it. */
function tellChange({ state, writer }: Run, input: Record<string, unknown>, result: ToolResult | null): void {
  const name = typeof input.vm === "string" ? input.vm : typeof input.name === "string" ? input.name : null;
  if (name === null) return;
  writer.stateDelta(state.look(name));
  const { url, title } = result?.structured ?? {};
  if (typeof url === "string" && typeof title === "string") writer.stateDelta(state.show(name, { url, title }));
}
