import type { Growing, RunWriter } from "../run-writer.ts";
import { type Chunk, failed, type LlmCall } from "./endpoint.ts";
import { LLM_LIMITS } from "./limits.ts";
import type { Counted } from "./tally.ts";

/** One answer of the model, as it was told while it came. */
export type Answer = {
  text: string;
  calls: LlmCall[];
  /** Everything it said: thoughts and arguments, too. */
  said: string;
  counted: Counted;
  isCutOff: boolean;
};

/**
 * Tells an answer while it comes: thoughts, text, and calls with their arguments.
 * @throws HypeError llm_failed when it says more than it may
 */
export async function tellAnswer(writer: RunWriter, chunks: AsyncIterable<Chunk>): Promise<Answer> {
  const calls: Call[] = [];
  const answer: Answer = { text: "", calls: [], said: "", counted: { input: null, output: null }, isCutOff: false };
  let text: Growing | null = null;
  let reasoning: Growing | null = null;
  const spend = (piece: string): string => {
    answer.said += piece;
    if (answer.said.length > LLM_LIMITS.answerCharacters) throw failed("says more than one answer may hold");
    return piece;
  };
  const endText = () => {
    text?.end();
    reasoning?.end();
    text = reasoning = null;
  };
  for await (const { choices, usage } of chunks) {
    if (usage) answer.counted = { input: usage.prompt_tokens ?? null, output: usage.completion_tokens ?? null };
    const [choice] = choices;
    if (!choice) continue;
    if (choice.finish_reason === "length") answer.isCutOff = true;
    const { content, reasoning_content: thought, reasoning: otherThought, tool_calls: pieces } = choice.delta ?? {};
    const thinks = thought ?? otherThought;
    if (thinks) {
      reasoning ??= writer.reasoning();
      reasoning.add(spend(thinks));
    }
    if (content) {
      reasoning?.end();
      reasoning = null;
      text ??= writer.text();
      text.add(spend(content));
      answer.text += content;
    }
    for (const { index, id, function: piece } of pieces ?? []) {
      let call = callOf(calls, index, id ?? null, piece?.name ?? null);
      if (!call) {
        if (!piece?.name) throw failed("calls a tool without a name");
        if (calls.length >= LLM_LIMITS.calls) throw failed(`calls more than ${LLM_LIMITS.calls} tools at once`);
        endText();
        call = { index, id: id ?? null, name: piece.name, arguments: "", told: writer.toolCall(piece.name) };
        calls.push(call);
      }
      const given = spend(piece?.arguments ?? "");
      call.arguments += given;
      call.told.add(given);
    }
  }
  endText();
  for (const { told, name, arguments: given } of calls) {
    told.end();
    answer.calls.push({ id: told.id, type: "function", function: { name, arguments: given } });
  }
  return answer;
}

type Call = { index: number | null; id: string | null; name: string; arguments: string; told: Growing };

/**
 * The call a piece goes on with; undefined: it begins one. Endpoints number their calls, or tell them apart by id or name alone, and some
 * say id and name with every piece again.
 */
function callOf(
  calls: readonly Call[],
  index: number | null,
  id: string | null,
  name: string | null,
): Call | undefined {
  const known = id ? calls.findLast((call) => call.id === id) : undefined;
  if (known) return known;
  const last = index === null ? calls.at(-1) : calls.findLast((call) => call.index === index);
  const isNew = name && ((id && last?.id !== null) || name !== last?.name);
  return isNew ? undefined : last;
}
