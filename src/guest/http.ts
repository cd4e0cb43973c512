import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import * as v from "valibot";
import { AgentProblem, HypeError, isErrorCode, messageOf } from "../contract/index.ts";

/** What the guest says is untrusted: every reply is bounded in size and time, and no redirect is followed. */
export type GuestRequest = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  /** For headers and body together, ms. */
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
};
const MAX_PROBLEM_BYTES = 1024 * 1024;

/** One operation of the browser, as the parts of a guest ask for it. */
export type Operate = (
  name: string,
  request: { timeout_ms: number },
  maxBytes: number,
  signal: AbortSignal | undefined,
) => Promise<GuestReply>;
/** Operations of one part whose replies are JSON of a known shape, at most `maxBytes` long. */
export const asking =
  (operate: Operate, maxBytes: number) =>
  async <T>(
    name: string,
    request: { timeout_ms: number },
    schema: v.GenericSchema<unknown, T>,
    signal: AbortSignal | undefined,
  ): Promise<T> =>
    parseReply(schema, await operate(name, request, maxBytes, signal));
export type GuestReply = { bytes: Uint8Array<ArrayBuffer>; contentType: string };

/**
 * One request to the agent.
 * @throws HypeError with the agent's own code and message | `guest_unreachable` | `cancelled` when the caller's signal aborts
 */
export async function ask(endpoint: string, token: string, request: GuestRequest): Promise<GuestReply> {
  const { timeoutMs, maxBytes, signal } = request;
  if (signal?.aborted) throw cancelled(signal.reason);
  const { sent, response } = send(endpoint, token, request);
  let isLate = false;
  const leave = () => void sent.destroy();
  // A timer and a listener, no combined signal, which costs more: this is on every operation's way.
  const late = setTimeout(() => {
    isLate = true;
    leave();
  }, timeoutMs);
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await replyOf(await response, maxBytes);
  } catch (thrown) {
    if (thrown instanceof HypeError) throw thrown;
    if (signal?.aborted) throw cancelled(thrown);
    const why = isLate ? `no answer within ${timeoutMs} ms` : messageOf(thrown);
    throw new HypeError("guest_unreachable", `${request.path}: ${why}`, {}, { cause: thrown });
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", leave);
  }
}

const cancelled = (cause: unknown) => new HypeError("cancelled", "the caller went away", {}, { cause });

/** Sends a request and returns the reply with its body unread. */
export function open(
  endpoint: string,
  token: string,
  request: Pick<GuestRequest, "method" | "path" | "body">,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return send(endpoint, token, request, { signal }).response;
}

/** By node:http, because Bun's fetch obeys HTTP_PROXY even for loopback addresses and would show a proxy the token; and it follows no redirect. */
function send(
  endpoint: string,
  token: string,
  { method, path, body }: Pick<GuestRequest, "method" | "path" | "body">,
  options: { signal?: AbortSignal } = {},
): { sent: ClientRequest; response: Promise<IncomingMessage> } {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const payload = body === undefined ? "" : JSON.stringify(body);
  const sent = httpRequest(endpoint + path, {
    method,
    ...options,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(payload),
    },
  });
  sent.on("response", resolve);
  sent.on("error", reject);
  sent.end(payload);
  return { sent, response: promise };
}

/**
 * A GET whose body is read as it comes.
 * @throws HypeError as {@link ask}, before the body
 */
export async function openStream(
  endpoint: string,
  token: string,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  try {
    const response = await open(endpoint, token, { method: "GET", path }, signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status <= 299) return response;
    throw problemOf(status, await readBounded(response, MAX_PROBLEM_BYTES));
  } catch (thrown) {
    if (thrown instanceof HypeError) throw thrown;
    if (signal.aborted) throw cancelled(thrown);
    throw new HypeError("guest_unreachable", `${path}: ${messageOf(thrown)}`, {}, { cause: thrown });
  }
}

/** The whole of a reply. @throws HypeError with the agent's own code and message when it is a refusal */
export async function replyOf(response: IncomingMessage, maxBytes: number): Promise<GuestReply> {
  const bytes = await readBounded(response, maxBytes);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw problemOf(status, bytes);
  return { bytes, contentType: response.headers["content-type"] ?? "" };
}

/** @throws HypeError `guest_unreachable` when it is not JSON of that shape: then it is not our agent that speaks. */
export function parseReply<T>(schema: v.GenericSchema<unknown, T>, { bytes }: GuestReply): T {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (thrown) {
    throw new HypeError(
      "guest_unreachable",
      `the agent's reply is not understood: ${messageOf(thrown)}`,
      {},
      { cause: thrown },
    );
  }
}

/** Listens, which costs less than iterating. */
async function readBounded(response: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  response.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else
      response.destroy(
        new HypeError("guest_unreachable", `the agent's reply is larger than ${maxBytes} bytes and was refused`),
      );
  });
  response.on("end", resolve);
  response.on("error", reject);
  response.on("close", () => {
    if (!response.complete) reject(new Error("the reply ended early"));
  });
  await promise;
  return new Uint8Array(Buffer.concat(chunks));
}

function problemOf(status: number, bytes: Uint8Array<ArrayBuffer>): HypeError {
  const parsed = v.safeParse(AgentProblem, jsonOrNull(bytes));
  const code = parsed.success ? parsed.output.code : "";
  // The agent's refusal of our token is no fault of whoever called the server.
  if (!parsed.success || !isErrorCode(code) || code === "unauthorized")
    return new HypeError("guest_unreachable", `the agent answers with status ${status} ${code}`.trim());
  return new HypeError(code, parsed.output.message.slice(0, 65_536));
}

function jsonOrNull(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
