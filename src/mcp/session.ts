import { type Server, type ServerEvent, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { ToolsOptions } from "./tools.ts";
import type { Updates } from "./updates.ts";

/** Addresses one session may subscribe to. */
const MOST_SUBSCRIPTIONS = 1_000;

type Options = Omit<ToolsOptions, "callerId" | "working"> & {
  id: string;
  build(options: ToolsOptions): Server;
  updates: Updates;
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
  readonly #ended: AbortSignal;
  #working = 0;
  #streams = 0;
  #isOver = false;

  constructor({ id, build, updates, keepAliveMs, maxBodyBytes, onEnd, ...options }: Options) {
    this.id = id;
    this.key = options.visit.key;
    this.#server = build({
      ...options,
      callerId: `session ${id}`,
      working: (isBegin) => (this.#working += isBegin ? 1 : -1),
    });
    this.#server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
      if (this.#subscribed.size < MOST_SUBSCRIPTIONS) this.#subscribed.add(uri);
      return {};
    });
    this.#server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      this.#subscribed.delete(uri);
      return {};
    });
    this.#transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.end(),
      keepAliveMs,
      maxRequestBodySize: maxBodyBytes,
    });
    this.#unlisten = updates.subscribe((event) => this.#tell(event));
    this.#end = onEnd;
    this.#ended = options.visit.ended;
    this.#ended.addEventListener("abort", this.#onKeyEnded, { once: true });
  }

  /** Nobody waits for anything of it. */
  get isIdle(): boolean {
    return this.#working === 0 && this.#streams === 0;
  }

  connect(): Promise<void> {
    return this.#server.connect(this.#transport);
  }

  async handle(request: Request, parsedBody: unknown): Promise<Response> {
    this.lastUsedAtMs = performance.now();
    const response = await this.#transport.handleRequest(request, parsedBody === undefined ? {} : { parsedBody });
    if (request.method !== "GET" || !response.ok) return response;
    this.#streams++;
    return primed(response, () => {
      this.#streams--;
      this.lastUsedAtMs = performance.now();
    });
  }

  /** Ends its streams and whatever runs for it. Harmless twice. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended.removeEventListener("abort", this.#onKeyEnded);
    this.#unlisten();
    this.#end();
    void this.#server.close().catch(() => {});
  }

  readonly #onKeyEnded = () => this.end();

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

/** A stream that says something at once: its head is only sent with the first bytes. @param onEnd called once, whoever ends it */
function primed(response: Response, onEnd: () => void): Response {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(": connected\n\n"));
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      onEnd();
      controller.close();
    },
    async cancel() {
      onEnd();
      await reader.cancel();
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
