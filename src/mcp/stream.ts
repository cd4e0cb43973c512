import { HypeError } from "../contract/index.ts";

/** What may wait for a reader before more is said to it, bytes. */
const QUEUED_BYTES = 4 * 1024 * 1024;
/** A reader that takes nothing for so long is cut: it holds a socket and a session, milliseconds. */
const STALLED_MS = 120_000;
const HIGH_WATER_BYTES = 65_536;

export const isEventStream = ({ ok, headers }: Response): boolean =>
  ok && (headers.get("content-type") ?? "").startsWith("text/event-stream");

/**
 * An event stream whose reader must keep up: one that does not is cut. The SDK's own queues know no bound.
 * @param isPrimed it says something at once: the head of a reply is only sent with its first bytes
 * @param onEnd called once, whoever ends it
 */
export function bounded(
  response: Response,
  { isPrimed = false, onEnd = () => {} }: { isPrimed?: boolean; onEnd?: () => void },
): Response {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let isOver = false;
  const over = () => {
    if (isOver) return;
    isOver = true;
    onEnd();
  };
  const isSlow = slowness();
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (isPrimed) controller.enqueue(new TextEncoder().encode(": connected\n\n"));
        const fail = (thrown: unknown) => {
          if (isOver) return;
          over();
          controller.error(thrown);
          void reader.cancel().catch(() => {});
        };
        const pump = async () => {
          for (;;) {
            const { done, value } = await reader.read();
            if (isOver) return;
            if (done) {
              over();
              return controller.close();
            }
            if (isSlow(controller.desiredSize ?? 0))
              return fail(
                new HypeError("reader_too_slow", "the reader of an MCP stream does not read what it is told"),
              );
            controller.enqueue(value);
          }
        };
        void pump().catch(fail);
      },
      async cancel() {
        over();
        await reader.cancel();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
  );
  return new Response(body, { status: response.status, headers: response.headers });
}

/** Asked before anything is said, with the room its reader left, bytes: one message may be as long as it is. */
function slowness(): (roomBytes: number) => boolean {
  let fullSinceMs: number | null = null;
  return (roomBytes) => {
    if (roomBytes > 0) fullSinceMs = null;
    else fullSinceMs ??= performance.now();
    return roomBytes < -QUEUED_BYTES || (fullSinceMs !== null && performance.now() - fullSinceMs > STALLED_MS);
  };
}
