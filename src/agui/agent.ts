import type { AguiRunInput } from "../contract/agui.ts";
import { HypeError, messageOf, type VmEvent } from "../contract/index.ts";
import { toolsFor } from "../tools/registry.ts";
import { offerAsked, saysSomething, watchAsked } from "./interpret.ts";
import { type Answers, decline, failureOf, goOn, isApproved, operate, refuse, understand } from "./operator.ts";
import type { RunSink } from "./run-stream.ts";
import { RunWriter } from "./run-writer.ts";
import type { AguiCaller, AguiServices, Run } from "./services.ts";
import { openState } from "./state-feed.ts";
import { Fault } from "./tool-run.ts";
import { watch } from "./watch.ts";

/** The work of a run. It never throws, and always ends what it began. */
export type Work = (sink: RunSink, signal: AbortSignal) => Promise<void>;

/**
 * Makes a run ready. What is wrong with the request itself is found here, before anything is told.
 * @param closing aborts when the server ends: a watch is over then, anything else has failed
 * @throws HypeError interrupt_not_found | vm_not_found | forbidden | invalid_request
 */
export function prepareRun(
  services: AguiServices,
  caller: AguiCaller,
  input: AguiRunInput,
  closing: AbortSignal,
): Work {
  const wanted = watchAsked(input, caller.preset);
  if (wanted) {
    if (wanted.vm !== null) caller.house.get(wanted.vm); // nobody waits for what is not there
    if (caller.preset !== null && wanted.vm !== caller.preset)
      throw new HypeError("invalid_request", `this address is about the VM ${caller.preset} only`);
  }
  const offered = offerAsked(input, services.llm?.tools ?? ["default"]);
  const asker = { caller: caller.key.id, threadId: input.threadId, vm: caller.preset };
  const resume = input.resume ?? [];
  const answers = resume.length > 0 ? services.interrupts.take(asker, resume) : null;
  if (!answers) services.interrupts.drop(asker);
  // What was approved is done, and is the whole run; who declined may want something else instead.
  const isResumed = answers !== null && (answers.some(isApproved) || !(wanted || saysSomething(input)));
  const watched = isResumed ? null : wanted;
  return async (sink, outer) => {
    const stop = new AbortController();
    const writer = new RunWriter(input, (event) => sink.emit(event));
    let following: Promise<void> | undefined;
    try {
      const feed = openState(caller, watched?.vm ?? caller.preset, AbortSignal.any([outer, stop.signal]));
      const tools = toolsFor(caller.key.scope, ["all"]);
      const run: Run = { input, services, caller, tools, state: feed.state, writer, signal: outer, offered };
      writer.state(feed.state.snapshot());
      if (watched) {
        for (const { text } of decline(run, answers ?? []).done) writer.say(text);
        await watch(run, feed.events(), watched.vm, sink);
        throw outer.reason;
      }
      following = follow(run, feed.events());
      if (isResumed) await goOn(run, answers);
      else await perform(run, answers ?? []);
    } catch (thrown) {
      if (watched && closing.aborted) writer.finish({ outcome: { type: "cancelled" } });
      else fail(services, writer, outer.aborted ? outer.reason : thrown);
    } finally {
      stop.abort();
      await following;
    }
  };
}

/** @param declined questions that were answered by no; what was said beside is done */
async function perform(run: Run, declined: Answers): Promise<void> {
  const said = decline(run, declined);
  const understood = understand(run);
  if ("intent" in understood) return await operate(run, understood.intent, said);
  for (const { text } of said.done) run.writer.say(text);
  refuse(run, understood.refusal);
}

function fail({ log }: AguiServices, writer: RunWriter, thrown: unknown): void {
  if (!(thrown instanceof HypeError) && !(thrown instanceof Fault)) {
    const ref = crypto.randomUUID().slice(0, 8);
    log.error(messageOf(thrown), { ref, cause: thrown });
    return writer.fail("internal", new Fault(ref).message);
  }
  const { code, message } = failureOf(thrown);
  writer.fail(code, message);
}

/** Others change things, too, while a run goes on. */
async function follow({ state, writer }: Run, events: AsyncIterable<VmEvent>): Promise<void> {
  try {
    for await (const event of events) writer.stateDelta(state.note(event));
  } catch {
    // The run's own result does not hang on it.
  }
}
