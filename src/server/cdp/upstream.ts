import { HypeError } from "../../contract/index.ts";

/** An agent that takes longer than this to open a socket is not there, milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

/** The global as Bun has it: the DOM's types know neither headers nor `terminate`. */
const BunWebSocket = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => Bun.WebSocket;

/**
 * Opens the socket to the agent's door, before the caller's side is upgraded: what goes wrong here is still an HTTP reply.
 * @throws HypeError guest_unreachable | cancelled
 */
export async function openUpstream(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  what = "its DevTools socket",
): Promise<Bun.WebSocket> {
  const socket = new BunWebSocket(url, { headers, perMessageDeflate: false });
  socket.binaryType = "nodebuffer";
  const timeout = AbortSignal.timeout(OPEN_TIMEOUT_MS);
  const either = AbortSignal.any([signal, timeout]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const refuse = () =>
    reject(
      signal.aborted
        ? new HypeError("cancelled", "the caller went away")
        : new HypeError("guest_unreachable", `the agent in the VM did not open ${what}`),
    );
  socket.onopen = () => resolve();
  socket.onclose = refuse;
  socket.onerror = () => {}; // a close event follows
  either.addEventListener("abort", refuse, { once: true });
  try {
    if (either.aborted) refuse();
    await promise;
    return socket;
  } catch (thrown) {
    socket.onclose = null;
    socket.terminate();
    throw thrown;
  } finally {
    either.removeEventListener("abort", refuse);
  }
}
