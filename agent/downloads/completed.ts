import type { ServerResponse } from "node:http";
import type { CompletedDownload } from "../../src/contract/index.ts";
import type { Downloads } from "./downloads.ts";

/** A reader that hears nothing for longer may take the wire for lost. */
const HEARTBEAT_MS = 10_000;
/** A reader that does not read is cut when this much waits for it, bytes: more than all that are held at once. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Tells of every download that is complete, then of each that becomes it, as server-sent events, until the reader goes away. */
export async function streamCompleted(
  downloads: Downloads,
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
      const change = downloads.changed(signal); // taken before the look: what comes in between is not slept through
      const complete = downloads.list().filter(({ state }) => state === "completed");
      for (const { id } of complete)
        if (!told.has(id)) write(`data: ${JSON.stringify({ id } satisfies CompletedDownload)}\n\n`);
      told = new Set(complete.map(({ id }) => id));
      await change;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}
