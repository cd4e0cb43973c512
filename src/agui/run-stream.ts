import type { Event } from "@ag-ui/core";
import { HypeError } from "../contract/index.ts";
import type { Encoding } from "./encoding.ts";

/** A reader that takes nothing for so many heartbeats is cut: it holds a socket and a run. */
const STALLED_BEATS = 8;
/** What may wait for a reader that does not keep up, bytes. */
const QUEUED_BYTES = 32 * 1024 * 1024;

export type RunStreamOptions = {
  encoding: Encoding;
  heartbeatMs: number;
  /** What ends the run besides its reader: the server's end, the key's end. */
  signals: AbortSignal[];
  /** The run. It ends soon after its signal fires, and tells by itself how it ended. */
  work(sink: RunSink, signal: AbortSignal): Promise<void>;
  onClose(): void;
};

export type RunSink = {
  emit(event: Event): void;
  /** Resolves when the reader has taken what was told: who has much to tell waits for it. */
  drained(): Promise<void>;
};

/**
 * The events of a run as the body of a reply. The work begins at once; its signal fires when the reader goes away, stalls, or one of
 * `signals` does. Nothing of it outlives the stream.
 */
export function runStream({
  encoding,
  heartbeatMs,
  signals,
  work,
  onClose,
}: RunStreamOptions): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  let wake = Promise.withResolvers<void>();
  let beat: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    clearInterval(beat);
    wake.resolve();
    onClose();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const cut = (why: HypeError) => {
          if (isClosed) return;
          close();
          stop.abort(why);
          controller.error(why);
        };
        // What is told in one go is sent in one piece: it is one write here and one read there.
        let pieces: Uint8Array[] = [];
        const flush = () => {
          if (isClosed || pieces.length === 0) return;
          const [only] = pieces;
          controller.enqueue(pieces.length === 1 && only ? only : Buffer.concat(pieces));
          pieces = [];
          if ((controller.desiredSize ?? 0) < -QUEUED_BYTES) cut(tooSlow());
        };
        const put = (bytes: Uint8Array) => {
          if (pieces.push(bytes) === 1) queueMicrotask(flush);
        };
        let stalled = 0;
        beat = setInterval(() => {
          if ((controller.desiredSize ?? 0) <= 0) {
            if (++stalled >= STALLED_BEATS) cut(tooSlow());
            return;
          }
          stalled = 0;
          if (encoding.heartbeat) put(encoding.heartbeat);
        }, heartbeatMs);
        const sink: RunSink = {
          emit: (event) => put(encoding.encode(event)),
          drained: async () => {
            while (!isClosed && (controller.desiredSize ?? 0) <= 0) await wake.promise;
          },
        };
        void work(sink, AbortSignal.any([stop.signal, ...signals])).then(
          () => {
            flush();
            if (isClosed) return;
            close();
            controller.close();
          },
          (thrown) => {
            flush();
            if (isClosed) return;
            close();
            controller.error(thrown);
          },
        );
      },
      pull() {
        wake.resolve();
        wake = Promise.withResolvers();
      },
      cancel() {
        close();
        stop.abort(new HypeError("cancelled", "the reader of the run went away"));
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 65_536 }),
  );
}

const tooSlow = () => new HypeError("reader_too_slow", "the reader of a run does not read what it is told");
