import type { ServerResponse } from "node:http";

/** A reader that hears nothing for longer may take the wire for lost. */
const HEARTBEAT_MS = 10_000;
/** A reader that does not read is cut when this much waits for it, bytes: more than all that are held at once. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Tells of every one there is, then of each that is new, as server-sent events, until the reader goes away.
 * @param changed resolves when there may be new ones, rejects when the signal aborts
 */
export async function streamNewOnes(
  items: () => { id: string }[],
  changed: (signal: AbortSignal) => Promise<void>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const write = (chunk: string) => {
    response.write(chunk);
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
  };
  write(": here\n\n");
  const heartbeat = setInterval(() => write(": still here\n\n"), HEARTBEAT_MS);
  let told = new Set<string>();
  try {
    while (!signal.aborted) {
      const change = changed(signal); // taken before the look: what comes in between is not slept through
      const now = items();
      for (const item of now) if (!told.has(item.id)) write(`data: ${JSON.stringify(item)}\n\n`);
      told = new Set(now.map(({ id }) => id));
      await change;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}
