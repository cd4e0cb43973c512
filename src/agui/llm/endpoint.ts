import * as v from "valibot";
import { HypeError, messageOf } from "../../contract/index.ts";
import { line } from "../../tools/markdown.ts";
import { LLM_LIMITS } from "./limits.ts";
import type { LlmSettings } from "./settings.ts";

/** Longest line of the stream, characters. */
const LINE_CHARACTERS = 4 * 1024 * 1024;
const FAULT_CHARACTERS = 300;

export type LlmMessage =
  | { role: "system" | "user"; content: string }
  | { role: "assistant"; content: string | null; tool_calls?: LlmCall[] }
  | { role: "tool"; tool_call_id: string; content: string };
export type LlmCall = { id: string; type: "function"; function: { name: string; arguments: string } };
export type LlmTool = { type: "function"; function: { name: string; description: string; parameters: unknown } };

const count = v.fallback(v.nullish(v.pipe(v.number(), v.minValue(0))), null);
const text = v.fallback(v.nullish(v.string()), null);

/** One piece of an answer (OpenAI, "chat.completion.chunk"), as far as it is read. What other endpoints add is let by. */
const Chunk = v.object({
  choices: v.optional(
    v.array(
      v.object({
        finish_reason: text,
        delta: v.nullish(
          v.object({
            content: text,
            reasoning_content: text,
            reasoning: text,
            tool_calls: v.nullish(
              v.array(
                v.object({
                  index: v.fallback(v.optional(v.nullable(v.number()), null), null),
                  id: text,
                  function: v.nullish(v.object({ name: text, arguments: text })),
                }),
              ),
            ),
          }),
        ),
      }),
    ),
    [],
  ),
  usage: v.nullish(v.object({ prompt_tokens: count, completion_tokens: count, total_tokens: count })),
  error: v.nullish(v.looseObject({ message: text })),
});
export type Chunk = v.InferOutput<typeof Chunk>;

export const failed = (what: string): HypeError => new HypeError("llm_failed", `the model's endpoint ${what}`);

/**
 * Asks the model, and yields its answer piece by piece.
 * @throws HypeError llm_failed when it cannot be reached, says nothing, says what cannot be read, or ends in the middle; the signal's reason
 */
export async function* ask(
  { baseUrl, model, key }: LlmSettings,
  messages: readonly LlmMessage[],
  tools: readonly LlmTool[],
  signal: AbortSignal,
  silenceMs: number = LLM_LIMITS.silenceMs,
): AsyncGenerator<Chunk> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(failed(`said nothing for ${Math.round(silenceMs / 1000)} s`)), silenceMs);
  };
  heard();
  try {
    const post = (limit: "max_tokens" | "max_completion_tokens") =>
      fetch(`${baseUrl}/chat/completions`, {
        method: "POST",
        redirect: "error", // the key is for this address only
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream",
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({
          model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
          [limit]: LLM_LIMITS.answerTokens,
          ...(tools.length > 0 ? { tools } : {}),
        }),
        signal: AbortSignal.any([signal, silence.signal]),
      });
    const refusal = async (reply: Response) => `answered ${reply.status}: ${await faultOf(reply)}`;
    let reply = await post("max_tokens");
    if (reply.status === 400) {
      // Reasoning models take the limit under its newer name only (OpenAI, "Create chat completion", max_completion_tokens).
      const said = await refusal(reply);
      if (!said.includes("max_completion_tokens")) throw failed(said);
      reply = await post("max_completion_tokens");
    }
    if (!reply.ok || !reply.body) throw failed(await refusal(reply));
    yield* chunks(reply.body, heard);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (silence.signal.aborted) throw silence.signal.reason;
    throw thrown instanceof HypeError
      ? thrown
      : failed(`cannot be reached: ${line(messageOf(thrown), FAULT_CHARACTERS)}`);
  } finally {
    clearTimeout(timer);
    silence.abort(); // ends a stream that is not read to its end
  }
}

/** The data lines of a stream of server-sent events. @throws HypeError llm_failed */
async function* chunks(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Chunk> {
  let isFinished = false;
  let rest = "";
  const decoder = new TextDecoder();
  const read = function* (lines: string[]): Generator<Chunk, boolean> {
    for (const raw of lines) {
      const data = /^data: ?(.*)$/.exec(raw.replace(/\r$/, ""))?.[1];
      if (data === undefined) continue;
      if (data === "[DONE]") return true;
      const chunk = parse(data);
      if (chunk.error) throw failed(`says: ${line(chunk.error.message ?? "an error", FAULT_CHARACTERS)}`);
      if (chunk.choices.some(({ finish_reason: reason }) => reason)) isFinished = true;
      yield chunk;
    }
    return false;
  };
  for await (const bytes of body) {
    heard();
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() as string;
    if (rest.length > LINE_CHARACTERS) throw failed("sends a line without end");
    if (yield* read(lines)) return;
  }
  if (yield* read([rest])) return;
  if (!isFinished) throw failed("ended in the middle of its answer");
}

function parse(data: string): Chunk {
  try {
    return v.parse(Chunk, JSON.parse(data));
  } catch {
    throw failed("sends what is no piece of an answer");
  }
}

async function faultOf(reply: Response): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const bytes of reply.body ?? []) {
    said += decoder.decode(bytes as Uint8Array, { stream: true });
    if (said.length > 10_000) break;
  }
  try {
    const { error } = JSON.parse(said) as { error?: { message?: unknown } | string };
    const message = typeof error === "string" ? error : error?.message;
    if (typeof message === "string") return line(message, FAULT_CHARACTERS);
  } catch {
    // Not JSON: told as it is.
  }
  return line(said, FAULT_CHARACTERS) || "nothing";
}
