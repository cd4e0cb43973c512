import type { IncomingMessage } from "node:http";
import { HypeError } from "../../src/contract/index.ts";

/** A sender that says nothing for so long is gone, ms. */
const SILENCE_MS = 120_000;

/** The body, no longer than its sender sends. @throws HypeError `cancelled` when it goes away or falls silent in the middle | `payload_too_large` */
export async function* received(
  request: IncomingMessage,
  maxBytes = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => request.destroy(), SILENCE_MS);
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      timer.refresh();
      bytes += chunk.length;
      if (bytes > maxBytes) throw new HypeError("payload_too_large", `the limit is ${maxBytes} bytes`);
      yield chunk;
    }
  } catch (thrown) {
    if (thrown instanceof HypeError) throw thrown;
    throw new HypeError("cancelled", "the sender went away", {}, { cause: thrown });
  } finally {
    clearTimeout(timer);
  }
}
