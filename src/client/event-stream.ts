import type { VmEvent } from "../contract/event.ts";
import { HypeError } from "../contract/errors.ts";
import { messagesOf } from "./messages.ts";
import { textOf, type Transport } from "./transport.ts";

/** The server beats every 15 s: a stream silent for three beats is dead. */
const SILENCE_MS = 50_000;
const RETRY_MS = { first: 250, last: 5_000 };

/**
 * Every event after `after` (null: from now on). When the connection breaks it is opened again after the last event seen, so none is
 * missed and none comes twice; `onConnection` is told of it. Ends when the signal aborts. @throws HypeError what the server refuses with, or no server at the first try.
 */
export async function* eventStream(
  send: Transport,
  base: string,
  after: number | null,
  signal?: AbortSignal,
  onConnection: (state: "open" | "lost", why?: HypeError) => void = () => {},
): AsyncGenerator<VmEvent> {
  let last = after;
  let wasConnected = false;
  let retryMs = RETRY_MS.first;
  while (!signal?.aborted) {
    const silence = new AbortController();
    const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const query = last === null ? "" : `?after=${last}`;
      const response = await send(`/api/v1/events/vms${query}`, {
        headers: { accept: "text/event-stream" },
        signal: either,
      });
      wasConnected = true;
      onConnection("open");
      for await (const { id, event, data } of messagesOf(textOf(response, base, either))) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        retryMs = RETRY_MS.first;
        if (id !== null && id !== "") last = Number(id);
        if (event === "message" && data) yield JSON.parse(data) as VmEvent;
      }
      if (!signal?.aborted) onConnection("lost");
    } catch (thrown) {
      const isConnection = thrown instanceof HypeError && PASSING.has(thrown.code);
      if (!signal?.aborted && (!isConnection || !wasConnected)) throw thrown;
      if (!signal?.aborted) onConnection("lost", thrown as HypeError);
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, RETRY_MS.last);
  }
}

/** Failures that a server on its way back gives: worth another try. */
const PASSING = new Set(["server_unreachable", "shutting_down", "cancelled"]);

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
