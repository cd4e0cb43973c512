import { HypeError, messageOf } from "../contract/index.ts";

/** A reader that takes nothing for so many heartbeats is cut: it holds a socket and will have to catch up anyway. */
const STALLED_BEATS = 8;

export type EventStreamOptions<E extends { seq: number }> = {
  /** Where the stream begins, told to the reader first: one that is cut before its first event comes back to the right place. */
  after: number;
  /** Ends when its signal aborts; an error it throws becomes the stream's last event. */
  source: (signal: AbortSignal) => AsyncIterable<E>;
  heartbeatMs: number;
  closing: AbortSignal;
  /** Aborts, with the reason, when the reader's key is over. */
  ended: AbortSignal;
  onClose: () => void;
};

/** One event in the wire form of server-sent events (HTML standard, section 9.2): JSON has no raw newline, so one data line is enough. */
const encodeEvent = (event: { seq: number }): string => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
const encodeError = (error: { code: string; detail: string }): string =>
  `event: error\ndata: ${JSON.stringify(error)}\n\n`;

const lastWords = (thrown: unknown) => ({
  code: thrown instanceof HypeError ? thrown.code : "internal",
  detail: messageOf(thrown),
});

/**
 * The events as a stream that is pulled: nothing is read from the source while the reader does not read, so a slow one costs no memory.
 * It never ends silently: the last event, `error`, says why (behind too far, key revoked, shutting down).
 */
export function eventStream<E extends { seq: number }>({
  after,
  source,
  heartbeatMs,
  closing,
  ended,
  onClose,
}: EventStreamOptions<E>): ReadableStream<string> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, closing, ended]);
  const iterator = source(signal)[Symbol.asyncIterator]();
  let beat: ReturnType<typeof setInterval>;
  const end = () => {
    clearInterval(beat);
    stop.abort();
    void iterator.return?.();
    onClose();
  };
  return new ReadableStream<string>({
    start(controller) {
      controller.enqueue(`: connected\nretry: 1000\nid: ${after}\n\n`);
      let stalled = 0;
      beat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) {
          stalled = 0;
          controller.enqueue(": heartbeat\n\n");
        } else if (++stalled >= STALLED_BEATS) {
          end();
          controller.error(new HypeError("operation_timeout", "the reader of an event stream does not read"));
        }
      }, heartbeatMs);
    },
    async pull(controller) {
      let last: { code: string; detail: string } = { code: "shutting_down", detail: "the server is shutting down" };
      try {
        const next = await iterator.next();
        if (!next.done && !ended.aborted) return controller.enqueue(encodeEvent(next.value));
      } catch (thrown) {
        if (!signal.aborted) last = lastWords(thrown);
      }
      if (ended.aborted) last = lastWords(ended.reason);
      if (stop.signal.aborted) return;
      end();
      controller.enqueue(encodeError(last));
      controller.close();
    },
    cancel: end,
  });
}
