import {
  type AuthInfo,
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServerFactory,
  type Server,
} from "@modelcontextprotocol/server";
import type { Log } from "../log/log.ts";
import { messageOf } from "../contract/index.ts";
import { TabMemory } from "../tools/tab-memory.ts";
import { buildServer } from "./build.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import type { ToolsOptions } from "./tools.ts";
import { Updates } from "./updates.ts";
import type { Visit } from "./visit.ts";

/** Subscriptions of the 2026 era one key may hold open. */
const MOST_SUBSCRIPTIONS = 200;
const KEEP_ALIVE_MS = 15_000;
/** Revisions of the protocol that know no batches any more. */
const WITHOUT_BATCHES = ["2025-06-18", "2025-11-25"];

export type DoorOptions = {
  log: Log;
  /** Ends everything. */
  closing: AbortSignal;
  /** Largest body, bytes. */
  maxBodyBytes: number;
  tabs?: TabMemory;
  sessions?: Sessions;
  keepAliveMs?: number;
  /** Makes the server of a session, or of a single request. */
  build?: (options: ToolsOptions) => Server;
};

/** What one key has open here. */
type KeyRoom = { updates: Updates; modern: McpHttpHandler };

/**
 * MCP over Streamable HTTP, in both eras on one address: 2026-07-28, where every request stands alone, and up to 2025-11-25, with sessions.
 * Who calls, from where and with what right was judged before.
 */
export class McpDoor {
  readonly #options: Required<DoorOptions>;
  readonly #rooms = new Map<object, KeyRoom>();

  constructor(options: DoorOptions) {
    this.#options = {
      tabs: new TabMemory(),
      sessions: new Sessions(),
      keepAliveMs: KEEP_ALIVE_MS,
      build: buildServer,
      ...options,
    };
    options.closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** @param body the request's body, parsed; undefined where it has none */
  async handle(request: Request, body: unknown, visit: Visit): Promise<Response> {
    const sessionId = request.headers.get("mcp-session-id");
    if (request.method !== "POST") {
      if (sessionId === null) return rpcError(405, -32_000, "Method not allowed: POST here", { allow: "POST" });
    } else if (!(await isLegacyRequest(request, body))) {
      const authInfo = { token: "", clientId: visit.keyId, scopes: [visit.scope], extra: { visit } };
      return await this.#roomOf(visit).modern.fetch(request, { authInfo, parsedBody: body });
    }
    if (Array.isArray(body) && WITHOUT_BATCHES.includes(request.headers.get("mcp-protocol-version") ?? ""))
      return rpcError(400, -32_600, "Invalid Request: this revision of the protocol knows no batches");
    if (sessionId !== null) {
      const session = this.#options.sessions.find(sessionId, visit.key);
      if (!session)
        return rpcError(404, -32_001, "Session not found: it is over, or the server was restarted. Initialize anew");
      return await session.handle(request, body);
    }
    if (!isInitializeRequest(body))
      return rpcError(400, -32_000, "Bad Request: no Mcp-Session-Id header; begin with initialize");
    return await this.#open(request, body, visit);
  }

  async #open(request: Request, body: unknown, visit: Visit): Promise<Response> {
    const { sessions, tabs, log, build, keepAliveMs, maxBodyBytes } = this.#options;
    const id = crypto.randomUUID();
    const session = new Session({
      id,
      visit,
      log,
      build,
      keepAliveMs,
      maxBodyBytes,
      tabs: tabs.of(`session ${id}`),
      updates: this.#roomOf(visit).updates,
      onEnd: () => {
        sessions.remove(id);
        tabs.leave(`session ${id}`);
      },
    });
    if (!sessions.add(session)) {
      session.end();
      return rpcError(503, -32_000, "Too many sessions are busy: try again later", { "retry-after": "5" });
    }
    try {
      await session.connect();
      const response = await session.handle(request, body);
      if (!response.ok) session.end(); // it did not come to be
      return response;
    } catch (thrown) {
      session.end();
      throw thrown;
    }
  }

  #roomOf(visit: Visit): KeyRoom {
    let room = this.#rooms.get(visit.key);
    if (!room) {
      const { closing, keepAliveMs, maxBodyBytes, log } = this.#options;
      const updates = new Updates((signal) => visit.house.events(signal), closing);
      const modern = createMcpHandler(this.#build, {
        legacy: "reject",
        bus: updates,
        maxSubscriptions: MOST_SUBSCRIPTIONS,
        keepAliveMs,
        maxRequestBodySize: maxBodyBytes,
        onerror: (error) => log.debug(`mcp: ${messageOf(error)}`),
      });
      room = { updates, modern };
      this.#rooms.set(visit.key, room);
      const { key } = visit;
      visit.ended.addEventListener("abort", () => void (this.#rooms.delete(key), modern.close()), { once: true });
    }
    return room;
  }

  readonly #build: McpServerFactory = ({ authInfo }) => {
    const { visit } = (authInfo as AuthInfo).extra as { visit: Visit };
    const callerId = `${visit.keyId}/${visit.client ?? ""}`;
    return this.#options.build({
      visit,
      callerId,
      tabs: this.#options.tabs.of(callerId),
      log: this.#options.log,
      working: () => {},
    });
  };

  #close(): void {
    this.#options.sessions.end();
    for (const { modern } of this.#rooms.values()) void modern.close();
    this.#rooms.clear();
  }
}

/** An error of the protocol that no server was needed for. */
export const rpcError = (
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response => Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status, headers });
