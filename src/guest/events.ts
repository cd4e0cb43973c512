import * as v from "valibot";
import { AgentEvent, AgentProblem, HypeError, isErrorCode, messageOf } from "../contract/index.ts";
import { open } from "./http.ts";

/** The agent says something every 10 s; after two and a half silences the wire counts as lost. */
const WATCHDOG_MS = 25_000;
/** Longest line taken from a guest, characters. */
const MAX_LINE = 65_536;

/**
 * The agent's events until the signal aborts (then it just ends).
 * @throws HypeError `guest_unreachable` when the wire is lost, silent too long, or speaks nonsense.
 */
export function readEvents(endpoint: string, token: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  return readStream(endpoint, token, "/v1/events", AgentEvent, MAX_LINE, signal);
}

/**
 * Any of the agent's streams of server-sent events. @param maxLine longest line taken, characters
 * @throws HypeError as {@link readEvents}, and the agent's own where the stream ends with one
 */
export async function* readStream<T>(
  endpoint: string,
  token: string,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  maxLine: number,
  signal: AbortSignal,
): AsyncGenerator<T> {
  using watchdog = new Watchdog(WATCHDOG_MS);
  const either = AbortSignal.any([signal, watchdog.signal]);
  try {
    const response = await open(endpoint, token, { method: "GET", path }, either);
    if (response.statusCode !== 200)
      throw new HypeError("guest_unreachable", `the agent answers with status ${response.statusCode}`);
    let rest = "";
    let isError = false;
    response.setEncoding("utf8");
    for await (const chunk of response as AsyncIterable<string>) {
      watchdog.feed();
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > maxLine) throw new HypeError("guest_unreachable", "the agent sends a line without end");
      for (const line of lines) {
        if (line.startsWith("event:")) isError = line === "event: error";
        if (!line.startsWith("data:")) continue;
        const data: unknown = JSON.parse(line.slice("data:".length));
        if (isError) throw problemOf(data);
        yield v.parse(schema, data);
      }
    }
    throw new HypeError("guest_unreachable", "the agent closed its event stream");
  } catch (thrown) {
    if (signal.aborted) return;
    if (thrown instanceof HypeError && thrown.code !== "guest_unreachable") throw thrown;
    const why = watchdog.signal.aborted ? `silent for ${WATCHDOG_MS} ms` : messageOf(thrown);
    throw new HypeError("guest_unreachable", `the agent's events are lost: ${why}`, {}, { cause: thrown });
  }
}

function problemOf(data: unknown): HypeError {
  const parsed = v.safeParse(AgentProblem, data);
  if (!parsed.success || !isErrorCode(parsed.output.code))
    return new HypeError("guest_unreachable", "the agent ends its stream without a reason");
  return new HypeError(parsed.output.code, parsed.output.message.slice(0, 4_096));
}

/** Aborts its signal unless fed in time. */
class Watchdog {
  #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly timeoutMs: number) {
    this.feed();
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.timeoutMs);
  }
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
