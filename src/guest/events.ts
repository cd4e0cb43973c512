import * as v from "valibot";
import { AgentEvent, HypeError, messageOf } from "../contract/index.ts";
import { open } from "./http.ts";

/** The agent says something every 10 s; after two and a half silences the wire counts as lost. */
const WATCHDOG_MS = 25_000;
/** Longest line taken from a guest, characters. */
const MAX_LINE = 65_536;

/**
 * The agent's events until the signal aborts (then it just ends).
 * @throws HypeError `guest_unreachable` when the wire is lost, silent too long, or speaks nonsense.
 */
export async function* readEvents(endpoint: string, token: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  using watchdog = new Watchdog(WATCHDOG_MS);
  const either = AbortSignal.any([signal, watchdog.signal]);
  try {
    const response = await open(endpoint, token, { method: "GET", path: "/v1/events" }, either);
    if (response.statusCode !== 200)
      throw new HypeError("guest_unreachable", `the agent answers with status ${response.statusCode}`);
    let rest = "";
    response.setEncoding("utf8");
    for await (const chunk of response as AsyncIterable<string>) {
      watchdog.feed();
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE) throw new HypeError("guest_unreachable", "the agent sends a line without end");
      for (const line of lines)
        if (line.startsWith("data:")) yield v.parse(AgentEvent, JSON.parse(line.slice("data:".length)));
    }
    throw new HypeError("guest_unreachable", "the agent closed its event stream");
  } catch (thrown) {
    if (signal.aborted) return;
    const why = watchdog.signal.aborted ? `silent for ${WATCHDOG_MS} ms` : messageOf(thrown);
    throw new HypeError("guest_unreachable", `the agent's events are lost: ${why}`, {}, { cause: thrown });
  }
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
