import type { Interrupt } from "@ag-ui/core";
import { HypeError } from "../../contract/index.ts";
import { cut } from "../../tools/markdown.ts";
import { findTool } from "../../tools/registry.ts";
import type { Run } from "../services.ts";
import { answer as answerCall, type Done } from "../tool-run.ts";
import { tellAnswer } from "./answer.ts";
import { ask, type LlmCall, type LlmMessage } from "./endpoint.ts";
import { historyOf, systemPrompt, toolsOf } from "./history.ts";
import { LLM_LIMITS } from "./limits.ts";
import type { LlmSettings } from "./settings.ts";
import { Tally } from "./tally.ts";

/**
 * Lets the model work on the thread: it is asked, its calls are done under the caller's own rights, and it is asked again, until it has
 * nothing more to do, wants something of the front end or of a person, or may do no more.
 * @param answered results of calls that the thread does not hold yet, by their ids
 * @throws HypeError llm_failed | operation_timeout; Fault; the reason of the run's signal
 */
export async function converse(
  run: Run,
  settings: LlmSettings,
  answered: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const { writer } = run;
  const limits = { ...LLM_LIMITS, ...settings.limits };
  const deadline = new AbortController();
  const tooLong = () =>
    deadline.abort(new HypeError("operation_timeout", "the model's work took longer than a run may"));
  const timer = setTimeout(tooLong, limits.totalMs);
  const within: Run = { ...run, signal: AbortSignal.any([run.signal, deadline.signal]) };
  const tally = new Tally();
  const done: Done[] = [];
  const end = (more: { pending?: string[]; interrupts?: Interrupt[]; stopped?: string } = {}) => {
    if (more.stopped) writer.say(more.stopped);
    writer.finish({
      outcome: more.interrupts
        ? { type: "interrupt", interrupts: more.interrupts }
        : { type: "success", ...(more.pending ? { pendingToolCallIds: more.pending } : {}) },
      result: { operations: done, ...(tally.isEstimated && { usage_estimated: true }) },
    });
  };
  try {
    const tools = toolsOf(run);
    const messages: LlmMessage[] = [
      { role: "system", content: systemPrompt(run) },
      ...historyOf(run.input.messages, answered),
    ];
    // Where our own call had a question first, those of the front end waited with it.
    const left = leftToFrontEnd(run, answered);
    if (left.length > 0) return end({ pending: left });
    for (let round = 0; round < limits.rounds; round++) {
      const step = writer.step("Model");
      const asked = ask(settings, messages, tools, within.signal, limits.silenceMs);
      const { text, calls, said, counted, isCutOff } = await tellAnswer(writer, asked);
      step.end();
      tally.add(counted, () => JSON.stringify({ messages, tools }), said);
      const { input, output, total } = tally;
      writer.spent(
        { model: settings.model, inputTokens: input, outputTokens: output, totalTokens: total },
        tally.isEstimated,
      );
      if (calls.length === 0) return end(isCutOff ? { stopped: "(The answer was cut off: it was too long.)" } : {});
      messages.push({ role: "assistant", content: text || null, tool_calls: calls });
      const { pending, interrupt } = await doCalls(within, calls, messages, done);
      if (interrupt) return end({ interrupts: [interrupt] });
      if (pending.length > 0) return end({ pending });
      if (tally.total > limits.tokens)
        return end({ stopped: `I stop here: this run has used the ${limits.tokens} tokens it may.` });
    }
    end({ stopped: `I stop here: the model was asked ${limits.rounds} times.` });
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code === "llm_failed") run.services.log.warn(thrown.message);
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

/** Calls since the user spoke that are the front end's, and that it was not told of yet. */
function leftToFrontEnd({ input: { messages, tools = [] }, tools: ours }: Run, answered: ReadonlyMap<string, string>) {
  if (answered.size === 0) return [];
  const since = messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1);
  const calls = since.flatMap(({ toolCalls }) => toolCalls ?? []);
  const results = new Set(since.map(({ toolCallId }) => toolCallId));
  const theirs = new Set(tools?.map(({ name }) => name));
  for (const { name } of ours) theirs.delete(name);
  return calls.flatMap(({ id, function: { name } }) =>
    theirs.has(name) && !results.has(id) && !answered.has(id) ? [id] : [],
  );
}

/** Ours are done in their order; those of the front end are left for it. What comes after a question is not done. */
async function doCalls(
  run: Run,
  calls: readonly LlmCall[],
  messages: LlmMessage[],
  done: Done[],
): Promise<{ pending: string[]; interrupt: Interrupt | null }> {
  const own = new Set(run.tools.map(({ name }) => name));
  const theirs = new Set((run.input.tools ?? []).map(({ name }) => name).filter((name) => !own.has(name)));
  const pending: string[] = [];
  let interrupt: Interrupt | null = null;
  const told = (id: string, content: string) =>
    messages.push({ role: "tool", tool_call_id: id, content: cut(content, LLM_LIMITS.resultCharacters, "left out") });
  for (const { id, function: call } of calls) {
    if (theirs.has(call.name)) {
      pending.push(id);
      continue;
    }
    if (interrupt) {
      const text = "Not done: a call before it waits for the user's answer.";
      run.writer.toolResult(id, text);
      told(id, text);
      continue;
    }
    const given = argumentsOf(call.arguments);
    if (given === null) {
      const text = "Error: the arguments are not a JSON object. Call again with valid JSON.";
      run.writer.toolResult(id, text);
      told(id, text);
      continue;
    }
    const tool = findTool(call.name, run.caller.key.scope);
    if (tool?.question) delete given.confirm; // a person's to say
    const step = run.writer.step(tool?.title ?? call.name.slice(0, 100));
    const outcome = await answerCall(run, tool, { tool: call.name, arguments: given }, null, id).finally(step.end);
    if ("interrupt" in outcome) interrupt = outcome.interrupt;
    else {
      done.push(outcome.done);
      told(id, outcome.done.text);
    }
  }
  return { pending, interrupt };
}

function argumentsOf(json: string): Record<string, unknown> | null {
  if (json.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
