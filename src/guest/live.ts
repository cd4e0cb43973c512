import * as v from "valibot";
import { HypeError, LiveFrame } from "../contract/index.ts";

/** Largest head of a picture taken from a guest, bytes. */
const MAX_HEAD_BYTES = 4_096;
/** Largest message of the live view taken from a guest, bytes: a picture of 4096 by 4096 pixels at the best quality fits. */
export const MAX_LIVE_MESSAGE_BYTES = 32 * 1024 * 1024;

/** Where the agent's live view is, and the headers it wants. The wire is contract/live.ts. */
export const liveSocket = ({ endpoint, token }: { endpoint: string; token: string }) => ({
  url: `${endpoint.replace(/^http/, "ws")}/v1/live`,
  headers: { authorization: `Bearer ${token}` },
});

/**
 * A picture's head and bytes. The bytes are the guest's word: an image to be shown, nothing to be trusted.
 * @throws HypeError `guest_unreachable` for what is no picture
 */
export function readLiveFrame(message: Uint8Array): { head: LiveFrame; image: Uint8Array } {
  const length = message.length < 4 ? 0 : new DataView(message.buffer, message.byteOffset).getUint32(0);
  if (length === 0 || length > MAX_HEAD_BYTES || message.length < 4 + length)
    throw new HypeError("guest_unreachable", "the agent sends a picture without a head");
  try {
    const head = v.parse(LiveFrame, JSON.parse(new TextDecoder().decode(message.subarray(4, 4 + length))));
    return { head, image: message.subarray(4 + length) };
  } catch (thrown) {
    throw new HypeError(
      "guest_unreachable",
      "the head of the agent's picture is not understood",
      {},
      { cause: thrown },
    );
  }
}
