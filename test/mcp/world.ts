import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Server } from "@modelcontextprotocol/server";
import type { CreateKey, VmEvent } from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import { buildServer } from "../../src/mcp/build.ts";
import { McpDoor } from "../../src/mcp/door.ts";
import { Sessions } from "../../src/mcp/sessions.ts";
import type { Visit } from "../../src/mcp/visit.ts";
import type { FakeEngine } from "../server/fake-engine.ts";
import { KEY, type TestServer } from "../server/harness.ts";

export const ERAS = ["auto", "legacy"] as const;
export type Era = (typeof ERAS)[number];
export const MODERN = "2026-07-28";

type Said = {
  text: string;
  isError: boolean;
  content: { type: string; [key: string]: unknown }[];
  structured: unknown;
};
export type McpClient = AsyncDisposable & {
  client: Client;
  call(name: string, args?: Record<string, unknown>, options?: Parameters<Client["callTool"]>[1]): Promise<Said>;
};

/** A real client of the SDK. @param era `auto` speaks 2026-07-28, `legacy` has a session */
export async function connectClient(
  url: string,
  era: Era,
  options: { key?: string; capabilities?: object; prepare?: (client: Client) => void } = {},
): Promise<McpClient> {
  const client = new Client(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: era }, capabilities: { ...options.capabilities } },
  );
  options.prepare?.(client);
  const headers = { authorization: `Bearer ${options.key ?? KEY}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return {
    client,
    async call(name, args = {}, more) {
      const result = await client.callTool({ name, arguments: args }, more);
      const content = result.content as Said["content"];
      const text = content
        .filter(({ type }) => type === "text")
        .map((block) => String(block.text))
        .join("\n");
      return { text, isError: result.isError === true, content, structured: result.structuredContent };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A key of the server's own. */
export const newKey = (server: TestServer, input: Partial<CreateKey> & { name: string }): string =>
  server.keys.create({ scope: "operate", restriction: null, expires_at: null, rate_per_minute: null, ...input }).key;

/** One message by hand. */
export function post(
  server: TestServer,
  body: unknown,
  headers: Record<string, string> = {},
  path = "/mcp",
): Promise<Response> {
  return server.call(path, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { accept: "application/json, text/event-stream", "content-type": "application/json", ...headers },
  });
}

export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "hand", version: "1" } },
};

/** A request of the 2026 era by hand, with the headers it must have. */
export function modern(
  method: string,
  params: Record<string, unknown> = {},
): [body: object, headers: Record<string, string>] {
  const named = params.name ?? params.uri;
  return [
    {
      jsonrpc: "2.0",
      id: 1,
      method,
      params: {
        ...params,
        _meta: { "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {} },
      },
    },
    {
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(typeof named === "string" && { "mcp-name": named }),
    },
  ];
}

type Handlers = Record<string, (request: never) => Promise<object>>;

/** A door of its own, so that its bounds can be small, its handlers others, and its visitors anybody. */
export function ownDoor({
  most = 10,
  idleMs = 60_000,
  mostOfKey = most,
  handlers = {},
  events = async function* () {},
}: {
  most?: number;
  idleMs?: number;
  mostOfKey?: number;
  handlers?: Handlers;
  events?: () => AsyncIterable<Partial<VmEvent>>;
} = {}) {
  const closing = new AbortController();
  const sessions = new Sessions(most, idleMs, mostOfKey);
  const callers: string[] = [];
  const it = new McpDoor({
    log: createLog({ level: "error", write: () => {} }),
    closing: closing.signal,
    maxBodyBytes: 1e6,
    sessions,
    build: (options): Server => {
      callers.push(options.callerId);
      const server = buildServer(options);
      for (const [method, handle] of Object.entries(handlers))
        server.setRequestHandler(method as "resources/read", handle as never);
      return server;
    },
  });
  const ANYBODY = {};
  const visitOf = (key: object): Visit => ({
    key,
    keyId: "test",
    scope: "admin",
    house: { events } as unknown as Visit["house"],
    ended: closing.signal,
    client: null,
    vm: null,
    selection: ["default"],
    noteChange: () => {},
  });
  /** The reply as it begins; `body` undefined asks for the session's stream. */
  const send = (body: unknown, headers: Record<string, string>, key: object = ANYBODY) => {
    const request = new Request("http://localhost/mcp", {
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        accept: body === undefined ? "text/event-stream" : "application/json, text/event-stream",
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return it.handle(request, body, visitOf(key));
  };
  const ask = async (body: object, session?: string, key?: object) => {
    const reply = await send(body, session === undefined ? {} : { "mcp-session-id": session }, key);
    return { status: reply.status, headers: reply.headers, text: await reply.text() };
  };
  return {
    closing,
    sessions,
    /** Whom each server was made for. */
    callers,
    send,
    ask,
    open: async (key?: object) => (await ask(INITIALIZE, undefined, key)).headers.get("mcp-session-id") ?? "",
    list: async (id: string, key?: object) =>
      (await ask({ jsonrpc: "2.0", id: 9, method: "tools/list" }, id, key)).status,
    listen: (id: string, key?: object) => send(undefined, { "mcp-session-id": id }, key),
  };
}

/** Counts who reads the engine's events now. */
export function countReaders(engine: FakeEngine) {
  let count = 0;
  let changed = Promise.withResolvers<void>();
  const tell = (by: number) => {
    count += by;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const subscribe = engine.subscribe.bind(engine);
  engine.subscribe = async function* (...call) {
    tell(1);
    try {
      yield* subscribe(...call);
    } finally {
      tell(-1);
    }
  };
  return {
    count: () => count,
    async until(wanted: number): Promise<void> {
      while (count !== wanted) await changed.promise;
    },
  };
}
