/** A JSON-RPC message, as far as a bridge looks into it. */
export type Message = {
  jsonrpc?: string;
  id?: string | number | null;
  method?: string;
  params?: { _meta?: Record<string, unknown>; name?: unknown; uri?: unknown; requestId?: unknown } & Record<
    string,
    unknown
  >;
  result?: { protocolVersion?: unknown } & Record<string, unknown>;
};

const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** The revision a message of the 2026 era names; null: one of before. */
export function modernVersion({ params }: Message): string | null {
  const version = params?._meta?.[VERSION_KEY];
  return typeof version === "string" ? version : null;
}

/** What the 2026 era says in headers, too (Streamable HTTP, section on standard headers). */
export function modernHeaders(message: Message, version: string): Record<string, string> {
  const { method = "", params } = message;
  const named =
    method === "tools/call" || method === "prompts/get"
      ? params?.name
      : method === "resources/read"
        ? params?.uri
        : null;
  return {
    "mcp-protocol-version": version,
    "mcp-method": method,
    ...(typeof named === "string" && { "mcp-name": headerValue(named) }),
  };
}

const headerValue = (text: string): string =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?")
    ? text
    : `=?base64?${Buffer.from(text).toString("base64")}?=`;

export const errorMessage = (id: Message["id"], code: number, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id: id ?? null, error: { code, message } });

/** A request waits for an answer; a notification and a response do not. */
export const isRequest = (message: Message): boolean => message.method !== undefined && message.id !== undefined;
