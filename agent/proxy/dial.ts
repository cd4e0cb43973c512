import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { HypeError } from "../../src/contract/index.ts";

/** What the system's own codes mean to a reader. */
const WORDS: Record<string, string> = {
  ECONNREFUSED: "refuses the connection",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  ECONNRESET: "hangs up",
  ENOTFOUND: "has a name that is not known here",
  EAI_AGAIN: "has a name that cannot be looked up",
};

/** Opens a connection. @throws HypeError `navigation_failed` saying what the other end does; the signal's reason */
export async function dial(host: string, port: number, isTls: boolean, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = isTls
    ? connectTls({ host, port, servername: /^[\d.]+$|:/.test(host) ? "" : host })
    : connect({ host, port });
  const onAbort = () => reject(signal.reason);
  const onError = (error: Error & { code?: string }) =>
    reject(
      new HypeError(
        "navigation_failed",
        WORDS[error.code ?? ""] ??
          (isTls ? `has no valid certificate (${error.code ?? error.message})` : error.message),
        {},
        { cause: error },
      ),
    );
  const onClose = () => reject(new HypeError("navigation_failed", "hangs up"));
  socket.once(isTls ? "secureConnect" : "connect", resolve);
  socket.on("error", onError).once("close", onClose); // the former stays: an error nobody hears would end the agent
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await promise;
    socket.off("close", onClose).setNoDelay(true);
    return socket;
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
