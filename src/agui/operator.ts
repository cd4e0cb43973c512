import type { Interrupt } from "@ag-ui/core";
import type { AguiOperation } from "../contract/agui.ts";
import { HypeError } from "../contract/index.ts";
import { line } from "../tools/markdown.ts";
import { wordError } from "../tools/wording.ts";
import { helpText } from "./help.ts";
import { interpret, type Intent } from "./interpret.ts";
import type { Waiting } from "./interrupts.ts";
import { converse } from "./llm/converse.ts";
import type { Run } from "./services.ts";
import { takeBack } from "./hand-over.ts";
import { type Approval, type Done, runOperation } from "./tool-run.ts";

const SUMMARY_CHARACTERS = 4_000;

/** Answers to questions of earlier runs; taken before the run begins, so that a wrong one is refused as a request. */
export type Answers = { answer: { status: string; payload?: unknown }; waiting: Waiting }[];

type Answered = Answers[number];
export const isApproved = ({ answer }: Answered): boolean =>
  answer.status === "resolved" && (answer.payload as { approve?: unknown } | null | undefined)?.approve === true;

/** What became of questions: for the run's result, and for a model that called. */
type Said = { done: Done[]; forModel: Map<string, string> };

/**
 * One run of the operator. It needs no model: it understands what is exact, and says what it understands where something is not.
 * @param said of questions that were declined in the same run
 * @throws Fault; the reason of the run's signal
 */
export async function operate(run: Run, intent: Intent, { done, forModel }: Said): Promise<void> {
  const { writer, services } = run;
  if ((intent.kind === "words" || intent.kind === "answer") && services.llm)
    return await converse(run, services.llm, forModel);
  if (intent.kind === "operations") {
    const interrupt = await inOrder(run, intent.operations, done);
    return conclude(run, done, interrupt ? [interrupt] : []);
  }
  for (const { text } of done) writer.say(text);
  writer.say(
    intent.kind !== "words"
      ? helpText(run)
      : `I do not understand ${JSON.stringify(intent.text.slice(0, 100))}.\n\n${helpText(run)}`,
  );
  writer.finish(done.length > 0 ? { result: { operations: done } } : {});
}

/** What the last message means; what cannot be understood is said, not thrown: it was typed by somebody who waits for an answer. */
export function understand(run: Run): { intent: Intent } | { refusal: HypeError } {
  try {
    const vms = run.state.names();
    const running = vms.filter((name) => run.state.get(name)?.status === "running");
    return { intent: interpret(run.input, { tools: run.tools, preset: run.caller.preset, vms, running }) };
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code !== "internal") return { refusal: thrown };
    throw thrown;
  }
}

/** Says what was wrong with what was typed. */
export function refuse({ writer }: Run, { code, message }: HypeError): void {
  writer.say(`${message[0]?.toUpperCase()}${message.slice(1)}.`);
  writer.finish({ result: { error: { code, message } } });
}

/** One after the other; the first that fails or has a question is the last. */
async function inOrder(
  run: Run,
  operations: readonly AguiOperation[],
  done: Done[],
  approval?: Approval,
): Promise<Interrupt | null> {
  for (const [at, operation] of operations.entries()) {
    if (run.signal.aborted) throw run.signal.reason;
    const outcome = await runOperation(run, operation, operations.slice(at + 1), at === 0 ? approval : undefined);
    if ("interrupt" in outcome) return outcome.interrupt;
    done.push(outcome.done);
    if (!outcome.done.ok) break;
  }
  return null;
}

/** Tells that what was asked about is not done. */
export function decline(run: Run, answers: Answers): Said {
  const said: Said = { done: [], forModel: new Map() };
  for (const { waiting } of answers) {
    const { operation, toolCallId, rest, why } = waiting;
    const text = `Not done: ${operation.tool} was declined.`;
    if (why === "handed") takeBack(run, operation, false);
    run.writer.toolResult(toolCallId, text);
    said.done.push({
      tool: operation.tool,
      title: operation.tool,
      ok: false,
      text,
      error: { code: "cancelled", message: "it was declined" },
    });
    if (rest === null) said.forModel.set(toolCallId, text);
  }
  return said;
}

/** Takes up what waited for a person's word. @throws Fault; the reason of the run's signal */
export async function goOn(run: Run, answers: Answers): Promise<void> {
  const done: Done[] = [];
  const interrupts: Interrupt[] = [];
  const forModel = new Map<string, string>();
  for (const answered of answers) {
    const { answer, waiting } = answered;
    const { operation, toolCallId, rest, why } = waiting;
    if (!isApproved(answered)) {
      const declined = decline(run, [answered]);
      done.push(...declined.done);
      for (const [id, text] of declined.forModel) forModel.set(id, text);
      continue;
    }
    if (why === "handed") {
      const text = takeBack(run, operation, true);
      run.writer.toolResult(toolCallId, text);
      done.push({ tool: operation.tool, title: findTitle(run, operation.tool), ok: true, text });
      if (rest === null) forModel.set(toolCallId, text);
      const interrupt = await inOrder(run, rest ?? [], done);
      if (interrupt) interrupts.push(interrupt);
      continue;
    }
    const isForced = (answer.payload as { force?: unknown }).force === true;
    const approval: Approval = {
      toolCallId,
      confirmed: waiting.confirmed || why === "confirm",
      forced: waiting.forced || (why === "control" && isForced),
    };
    const interrupt = await inOrder(run, [operation, ...(rest ?? [])], done, approval);
    if (interrupt) interrupts.push(interrupt);
    else if (rest === null) forModel.set(toolCallId, done.at(-1)?.text ?? "");
  }
  if (interrupts.length === 0 && forModel.size > 0 && run.services.llm)
    return await converse(run, run.services.llm, forModel);
  conclude(run, done, interrupts);
}

const findTitle = ({ tools }: Run, name: string): string => tools.find((tool) => tool.name === name)?.title ?? name;

function conclude({ writer }: Run, done: readonly Done[], interrupts: Interrupt[]): void {
  const result = { operations: done };
  if (done.length > 0) writer.say(summary(done));
  if (interrupts.length > 0) writer.interrupt(interrupts, result);
  else writer.finish({ result });
}

function summary(done: readonly Done[]): string {
  const cut = (text: string) => (text.length > SUMMARY_CHARACTERS ? `${text.slice(0, SUMMARY_CHARACTERS)}…` : text);
  const [only] = done;
  if (only && done.length === 1) return cut(only.text);
  return cut(done.map((one) => `- ${one.title}: ${headline(one)}`).join("\n"));
}

/** What came of one of several, in a line. */
function headline({ ok, text, structured }: Done): string {
  const { url, title } = structured ?? {};
  if (ok && typeof url === "string" && typeof title === "string") return line(title ? `${title} (${url})` : url);
  return line(text.split("\n").find((words) => words && !words.startsWith("#")) ?? "done");
}

/** A failure of the run itself, as its last event tells it. */
export const failureOf = (thrown: unknown): { code: string; message: string } =>
  thrown instanceof HypeError && thrown.code !== "internal"
    ? { code: thrown.code, message: wordError(thrown) }
    : { code: "internal", message: thrown instanceof Error ? thrown.message : "something went wrong inside hype" };
