import { callError, errorOf } from "./problem-error.ts";
import type { ConnectOptions } from "./types.ts";

/** Sends one request; only a success comes back. @throws HypeError */
export type Transport = (path: string, init?: RequestInit) => Promise<Response>;

/** Requests wait as long as the server does: a boot takes minutes under emulation, a followed log is quiet for hours. */
const carrier = (ca: string | undefined) => (request: Request) =>
  fetch(request, { timeout: false, ...(ca === undefined ? {} : { tls: { ca } }) } as RequestInit);

export function createTransport({ base, key, ca, fetch: send = carrier(ca) }: ConnectOptions): Transport {
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (key !== null) headers.set("authorization", `Bearer ${key}`);
    let response: Response;
    try {
      init.signal?.throwIfAborted();
      response = await send(new Request(`${base}${path}`, { ...init, headers }));
    } catch (thrown) {
      throw callError(thrown, base, init.signal);
    }
    if (response.ok) return response;
    throw await errorOf(response);
  };
}

/** The body of a reply as text, piece by piece, until it ends or the signal aborts. @throws HypeError cancelled | server_unreachable */
export async function* textOf(response: Response, base: string, signal?: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of bytesOf(response, base, signal)) {
    const text = decoder.decode(piece, { stream: true });
    if (text) yield text;
  }
  const rest = decoder.decode();
  if (rest) yield rest;
}

/** The body of a reply as it comes. @throws HypeError cancelled | server_unreachable */
export async function* bytesOf(response: Response, base: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal?.aborted) throw signal.reason;
      if (done) break;
      yield value;
    }
  } catch (thrown) {
    throw callError(thrown, base, signal);
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
}
