import {
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
import { Flights, GRACE_MS, whyOver } from "./ending.ts";
import { rpcError } from "./rpc-error.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { bounded, isEventStream } from "./stream.ts";
import type { ToolsOptions } from "./tools.ts";
import { listenable, prospectOf, type ProspectOf } from "./subscribable.ts";
import { Updates } from "./updates.ts";
import { carried, visitIn, type Visit } from "./visit.ts";

/** Subscriptions of the 2026 era one key may hold open. */
const MOST_SUBSCRIPTIONS = 200;
const KEEP_ALIVE_MS = 15_000;
const CLIENT_INFO = "io.modelcontextprotocol/clientInfo";
/** Of a client's name, characters. */
const NAME_LENGTH = 64;
/** What the SDK says when it closed before it had an answer. */
const CLOSED = 499;

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
  /** What a subscription to an address of those servers comes to. */
  prospectOf?: ProspectOf;
};

/** What one key has open here. */
type KeyRoom = { updates: Updates; modern: McpHttpHandler; flights: Flights };

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
      prospectOf,
      ...options,
    };
    options.closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** @param body the request's body, parsed; undefined where it has none */
  async handle(request: Request, body: unknown, visit: Visit): Promise<Response> {
    const sessionId = request.headers.get("mcp-session-id");
    const isPost = request.method === "POST";
    if (!isPost && sessionId === null)
      return rpcError(405, -32_000, "Method not allowed: POST here", { headers: { allow: "POST" } });
    const isModern = isPost && !(await isLegacyRequest(request, body));
    if (this.#options.closing.aborted) return rpcError(503, -32_000, messageOf(this.#whyOver(visit)));
    if (isModern) return await this.#handleModern(request, body, visit);
    if (sessionId !== null) {
      const session = this.#options.sessions.find(sessionId, visit.key);
      if (!session)
        return rpcError(404, -32_001, "Session not found: it is over, or the server was restarted. Initialize anew");
      return await session.handle(request, body, visit);
    }
    if (!isInitializeRequest(body))
      return rpcError(400, -32_000, "Bad Request: no Mcp-Session-Id header; begin with initialize");
    return await this.#open(request, body, visit);
  }

  async #handleModern(request: Request, body: unknown, visit: Visit): Promise<Response> {
    const { modern, flights } = this.#roomOf(visit);
    const { id, method } = (body ?? {}) as { id?: string | number; method?: unknown };
    const isTold = (uri: string) => this.#options.prospectOf(visit, uri) === "told";
    const parsedBody = listenable(isTold, body);
    const ask = () => modern.fetch(request, { authInfo: carried(visit, nameOf(body)), parsedBody });
    if (method === "subscriptions/listen") {
      const response = await ask();
      return isEventStream(response) ? bounded(response, {}) : response;
    }
    const landed = flights.begin();
    let isStreaming = false;
    try {
      const response = await ask();
      if (response.status === CLOSED)
        return rpcError(503, -32_000, messageOf(this.#whyOver(visit)), { id: id ?? null });
      isStreaming = isEventStream(response);
      return isStreaming ? bounded(response, { onEnd: landed }) : response;
    } finally {
      if (!isStreaming) landed();
    }
  }

  async #open(request: Request, body: unknown, visit: Visit): Promise<Response> {
    const { sessions, tabs, log, build, prospectOf: prospect, keepAliveMs, maxBodyBytes, closing } = this.#options;
    const id = crypto.randomUUID();
    const session = new Session({
      id,
      visit,
      log,
      closing,
      build,
      keepAliveMs,
      maxBodyBytes,
      prospectOf: prospect,
      tabs: tabs.of(`session ${id}`),
      updates: this.#roomOf(visit).updates,
      onEnd: () => {
        sessions.remove(id);
        tabs.leave(`session ${id}`);
      },
    });
    if (!sessions.add(session)) {
      session.end();
      return rpcError(503, -32_000, "Too many sessions are busy: try again later", { headers: { "retry-after": "5" } });
    }
    try {
      await session.connect();
      const response = await session.handle(request, body, visit);
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
      room = { updates, modern, flights: new Flights() };
      this.#rooms.set(visit.key, room);
      const { key } = visit;
      visit.ended.addEventListener("abort", () => this.#closeRoom(key), { once: true });
    }
    return room;
  }

  readonly #build: McpServerFactory = ({ authInfo }) => {
    const visit = visitIn(authInfo) as Visit;
    const callerId = `${visit.keyId}/${visit.client ?? ""}/${authInfo?.clientId}`;
    const { tabs, log, closing, build } = this.#options;
    return build({ visit, callerId, tabs: tabs.of(callerId), log, closing });
  };

  #whyOver({ ended }: Visit) {
    return whyOver({ closing: this.#options.closing, ended });
  }

  /** Calls under way are answered first: they end by the same signal. */
  #closeRoom(key: object): void {
    const room = this.#rooms.get(key);
    if (!this.#rooms.delete(key)) return;
    void room?.flights.over(GRACE_MS).then(() => room.modern.close());
  }

  #close(): void {
    const { sessions, closing } = this.#options;
    sessions.end(whyOver({ closing, ended: closing }));
    for (const key of [...this.#rooms.keys()]) this.#closeRoom(key);
  }
}

/** What a client of the 2026 era calls itself, with every request. */
function nameOf(body: unknown): string {
  const { params } = (body ?? {}) as { params?: { _meta?: Record<string, unknown> } };
  // oxlint-disable-next-line no-underscore-dangle
  const { name } = (params?._meta?.[CLIENT_INFO] ?? {}) as { name?: unknown };
  return typeof name === "string" ? name.slice(0, NAME_LENGTH) : "";
}
