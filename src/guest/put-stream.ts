import { type IncomingMessage, request as httpRequest } from "node:http";
import { HypeError, messageOf } from "../contract/index.ts";
import { type GuestReply, replyOf } from "./http.ts";

const MAX_REPLY_BYTES = 8 * 1024 * 1024;

/**
 * Sends bytes as the guest takes them: one piece is held here, and a slow guest makes the sender wait. When the body throws, the
 * guest gets no end and keeps nothing.
 * @param bytes how many there are, if that is known
 * @param silenceMs so long neither side may say nothing
 * @throws HypeError the agent's own refusal | `upload_mismatch` | `cancelled` | `guest_unreachable`, and what the body throws
 */
export async function putStream(
  wire: { endpoint: string; token: string; path: string; what: string; silenceMs: number },
  body: AsyncIterable<Uint8Array>,
  bytes: number | undefined,
  signal: AbortSignal,
): Promise<GuestReply> {
  const answered = Promise.withResolvers<IncomingMessage>();
  answered.promise.catch(() => {}); // it is asked for below
  const request = httpRequest(wire.endpoint + wire.path, {
    method: "PUT",
    signal,
    headers: {
      authorization: `Bearer ${wire.token}`,
      "content-type": "application/octet-stream",
      ...(bytes === undefined ? { "transfer-encoding": "chunked" } : { "content-length": bytes }),
    },
  });
  request.on("response", answered.resolve);
  request.on("error", answered.reject);
  request.setTimeout(wire.silenceMs, () => request.destroy(new Error(`silent for ${wire.silenceMs} ms`)));
  try {
    // A refusal comes before all is sent: then the rest is not.
    await Promise.race([send(request, body, bytes), answered.promise]);
    return await replyOf(await answered.promise, MAX_REPLY_BYTES);
  } catch (thrown) {
    if (thrown instanceof HypeError) throw thrown;
    if (signal.aborted) throw new HypeError("cancelled", "the caller went away", {}, { cause: thrown });
    throw new HypeError("guest_unreachable", `${wire.what} broke off: ${messageOf(thrown)}`, {}, { cause: thrown });
  } finally {
    request.destroy();
  }
}

/** @throws HypeError `upload_mismatch` when the body is not as long as announced: the wire could not say so */
async function send(
  request: ReturnType<typeof httpRequest>,
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
): Promise<void> {
  let sent = 0;
  let wake = () => {};
  const onDrain = () => wake();
  request.on("drain", onDrain);
  request.on("close", onDrain);
  for await (const chunk of body) {
    if (request.destroyed) return;
    sent += chunk.length;
    if (announced !== undefined && sent > announced) break;
    if (request.write(chunk)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
  }
  if (announced !== undefined && sent !== announced)
    throw new HypeError("upload_mismatch", `${announced} bytes were announced, ${sent} or more came`);
  request.end();
}
