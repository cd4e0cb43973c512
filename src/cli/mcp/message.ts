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

type Id = string | number;

/** The ids of what waits for an answer: requests do, notifications and responses do not. A batch (until 2025-03-26) has many. */
export const idsAsked = (message: Message | Message[]): Id[] =>
  listOf(message)
    .filter(({ method }) => method !== undefined)
    .map(({ id }) => id)
    .filter((id): id is Id => typeof id === "string" || typeof id === "number");

/** The ids a text from the server answers. */
export function idsAnswered(text: string): unknown[] {
  try {
    return listOf(JSON.parse(text) as Message | Message[])
      .filter(({ method }) => method === undefined)
      .map(({ id }) => id);
  } catch {
    return []; // the client sees it as it is
  }
}

const listOf = (message: Message | Message[]): Message[] =>
  (Array.isArray(message) ? message : [message]).filter((it) => typeof it === "object" && it !== null);

/** What the server refused, in the client's protocol: its own words where it speaks MCP, else those of the problem document. */
export function refusal(id: Message["id"], status: number, text: string): string {
  const said = saidIn(text);
  if (said.error) return JSON.stringify({ jsonrpc: "2.0", id, error: said.error });
  if (said.detail) return errorMessage(id, -32_000, `${said.detail}. ${said.remedy ?? ""}`.trim());
  return errorMessage(id, -32_000, `the server answered ${status}`);
}

/** Whether the server says that it knows the session no more; a VM that is gone is a 404, too. */
export const isLostSession = (status: number, text: string): boolean =>
  status === 404 && saidIn(text).error?.code === SESSION_NOT_FOUND;

const SESSION_NOT_FOUND = -32_001;

function saidIn(text: string): { error?: { code?: unknown }; detail?: string; remedy?: string } {
  try {
    return (JSON.parse(text) ?? {}) as ReturnType<typeof saidIn>;
  } catch {
    return {};
  }
}
