import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  type Server,
  type ServerEvent,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { type HypeError, messageOf } from "../contract/index.ts";
import { GRACE_MS, whyOver } from "./ending.ts";
import { rpcError } from "./rpc-error.ts";
import { bounded, isEventStream } from "./stream.ts";
import type { ToolsOptions } from "./tools.ts";
import { mustBeTold, type ProspectOf } from "./subscribable.ts";
import type { Updates } from "./updates.ts";
import { carried, type Visit } from "./visit.ts";

/** Addresses one session may subscribe to. */
const MOST_SUBSCRIPTIONS = 1_000;
/** Revisions of the protocol that know no batches any more. */
const WITHOUT_BATCHES = ["2025-06-18", "2025-11-25"];

type Options = Omit<ToolsOptions, "callerId"> & {
  id: string;
  build(options: ToolsOptions): Server;
  updates: Updates;
  prospectOf: ProspectOf;
  keepAliveMs: number;
  maxBodyBytes: number;
  /** It is over: by the client, the key, or us. Called once. */
  onEnd: () => void;
};

/** One client of the 2025 era, from its `initialize` on. */
export class Session {
  readonly id: string;
  /** The key it was opened with; no other may use it. */
  readonly key: object;
  lastUsedAtMs = performance.now();
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #server: Server;
  readonly #subscribed = new Set<string>();
  readonly #unlisten: () => void;
  readonly #end: () => void;
  readonly #ends: { ended: AbortSignal; closing: AbortSignal };
  /** Requests that are not answered yet, and whether each has its stream for itself. */
  readonly #asked = new Map<RequestId, boolean>();
  #streams = 0;
  #isOver = false;
  #grace: Timer | undefined;

  constructor({ id, build, updates, prospectOf, keepAliveMs, maxBodyBytes, onEnd, ...options }: Options) {
    this.id = id;
    this.key = options.visit.key;
    this.#server = build({ ...options, callerId: `session ${id}` });
    this.#server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
      mustBeTold(prospectOf(options.visit, uri), uri);
      if (this.#subscribed.size < MOST_SUBSCRIPTIONS) this.#subscribed.add(uri);
      return {};
    });
    this.#server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      this.#subscribed.delete(uri);
      return {};
    });
    this.#transport = new Transport((answered) => this.#answered(answered), {
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.end(),
      keepAliveMs,
      maxRequestBodySize: maxBodyBytes,
    });
    this.#unlisten = updates.subscribe((event) => this.#tell(event));
    this.#end = onEnd;
    this.#ends = { ended: options.visit.ended, closing: options.closing };
    this.#ends.ended.addEventListener("abort", this.#onKeyEnded, { once: true });
  }

  /** Nobody waits for anything of it. */
  get isIdle(): boolean {
    return this.#asked.size === 0 && this.#streams === 0;
  }

  connect(): Promise<void> {
    return this.#server.connect(this.#transport);
  }

  async handle(request: Request, parsedBody: unknown, visit: Visit): Promise<Response> {
    this.lastUsedAtMs = performance.now();
    const isBatch = Array.isArray(parsedBody);
    const messages: unknown[] = isBatch ? parsedBody : [parsedBody];
    // oxlint-disable-next-line no-deprecated -- what this session agreed on, whatever the header says
    if (isBatch && WITHOUT_BATCHES.includes(this.#server.getNegotiatedProtocolVersion() ?? ""))
      return rpcError(400, -32_600, "Invalid Request: this revision of the protocol knows no batches");
    const ids = messages.filter((message) => isJSONRPCRequest(message)).map(({ id }) => id);
    const isTwice = new Set(ids).size < ids.length || ids.some((id) => this.#asked.has(id));
    if (isTwice) return rpcError(400, -32_600, "Invalid Request: a request with this id is not answered yet");
    for (const id of ids) this.#asked.set(id, !isBatch);
    const response = await this.#transport.handleRequest(request, {
      authInfo: carried(visit),
      ...(parsedBody !== undefined && { parsedBody }),
    });
    if (!isEventStream(response)) {
      for (const id of ids) this.#answered(id); // it was refused
      if (response.ok) this.#cancelled(parsedBody);
      return response;
    }
    if (request.method !== "GET") return bounded(response, {});
    this.#streams++;
    return bounded(response, {
      isPrimed: true,
      onEnd: () => {
        this.#streams--;
        this.lastUsedAtMs = performance.now();
      },
    });
  }

  /**
   * Ends its streams and whatever runs for it. Harmless twice.
   * @param why what is under way is told, and has a moment to end by itself; null: nobody waits for it
   */
  end(why: HypeError | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ends.ended.removeEventListener("abort", this.#onKeyEnded);
    this.#unlisten();
    this.#end();
    if (why === null || this.#asked.size === 0) return this.#close();
    this.#transport.closeStandaloneSSEStream();
    this.#grace = setTimeout(() => {
      const error = { code: -32_000, message: messageOf(why) };
      for (const id of [...this.#asked.keys()])
        void this.#transport.send({ jsonrpc: "2.0", id, error }).catch(() => this.#answered(id));
    }, GRACE_MS);
  }

  readonly #onKeyEnded = () => this.end(whyOver(this.#ends));

  #close(): void {
    clearTimeout(this.#grace);
    void this.#server.close().catch(() => {});
  }

  #answered(id: RequestId): void {
    if (!this.#asked.delete(id) || this.#asked.size > 0) return;
    this.lastUsedAtMs = performance.now();
    if (this.#isOver) this.#close();
  }

  /** A call its client gave up is not answered, and its stream is of no use any more. */
  #cancelled(message: unknown): void {
    const { method, params } = (message ?? {}) as { method?: unknown; params?: { requestId?: RequestId } };
    const id = method === "notifications/cancelled" ? params?.requestId : undefined;
    if (id === undefined || !this.#asked.has(id)) return;
    if (this.#asked.get(id)) this.#transport.closeSSEStream(id);
    this.#answered(id);
  }

  #tell(event: ServerEvent): void {
    const sent =
      event.kind === "resources_list_changed"
        ? this.#server.sendResourceListChanged()
        : event.kind === "resource_updated" && this.#subscribed.has(event.uri)
          ? this.#server.sendResourceUpdated({ uri: event.uri })
          : null;
    void sent?.catch(() => {}); // no stream is open to say it on
  }
}

/** Tells which request was answered, once it is. */
class Transport extends WebStandardStreamableHTTPServerTransport {
  constructor(
    private readonly onAnswer: (id: RequestId) => void,
    options: ConstructorParameters<typeof WebStandardStreamableHTTPServerTransport>[0],
  ) {
    super(options);
  }

  override async send(message: JSONRPCMessage, options?: { relatedRequestId?: RequestId }): Promise<void> {
    try {
      await super.send(message, options);
    } finally {
      if ((isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) && message.id !== undefined)
        this.onAnswer(message.id);
    }
  }
}
