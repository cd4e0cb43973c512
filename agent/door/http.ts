import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import { ERRORS, type ErrorCode, HypeError } from "../../src/contract/index.ts";

/** Largest request body, bytes: an address of 2 MB in JSON, escaped, fits. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** One request, as handlers see it. */
export type Call = {
  method: string;
  url: URL;
  /** Host header as it came: where the caller believes the door is. */
  host: string;
  /** Aborts when the caller goes away. */
  signal: AbortSignal;
  /** The body under a schema, up to 8 MB unless told. @throws HypeError `invalid_request` | `payload_too_large` */
  body<T>(schema: v.GenericSchema<unknown, T>, maxBytes?: number): Promise<T>;
  /** For bodies that are no JSON: read as they come. */
  request: IncomingMessage;
  /** For streams: the handler answers by itself and returns nothing. */
  response: ServerResponse;
};

export type Reply = { status?: number; type: string; body: string | Uint8Array };
export type Handler = (call: Call) => Promise<Reply | void> | Reply | void;

export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});
export const text = (body: string): Reply => ({ type: "text/plain; charset=utf-8", body });
export const problem = (code: ErrorCode, message: string): Reply => json({ code, message }, ERRORS[code].status);

export function send(response: ServerResponse, { status = 200, type, body }: Reply): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, { "content-type": type, "content-length": bytes.length, "cache-control": "no-store" });
  response.end(bytes);
}

export function callOf(request: IncomingMessage, response: ServerResponse): Call {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  return {
    method: request.method ?? "GET",
    url: new URL(request.url ?? "/", "http://agent"),
    host: request.headers.host ?? "127.0.0.1",
    signal: gone.signal,
    body: async (schema, maxBytes = MAX_BODY_BYTES) => check(schema, await readJson(request, maxBytes)),
    request,
    response,
  };
}

export function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? "body"}: ${issue.message}`);
  throw new HypeError("invalid_request", issues.join("; "));
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new HypeError("payload_too_large", `the limit is ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || "{}");
  } catch (thrown) {
    throw new HypeError("invalid_request", "the body is not JSON", {}, { cause: thrown });
  }
}
