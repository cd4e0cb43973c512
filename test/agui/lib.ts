import { HttpAgent, type BaseEvent, type RunAgentParameters, verifyEvents } from "@ag-ui/client";
import { AGUI_MEDIA_TYPE } from "@ag-ui/encoder";
import { from, lastValueFrom, toArray } from "rxjs";
import { KEY, type TestServer } from "../server/harness.ts";

/** Both encodings of events. */
export const WIRES = ["sse", "protobuf"] as const;
export type Wire = (typeof WIRES)[number];

/** The client of @ag-ui itself: it decodes, verifies the order, and applies. Every event it was told is kept. */
export class Reader {
  readonly events: BaseEvent[] = [];
  readonly agent: HttpAgent;
  contentType = "";
  /** Set when a run failed by an event, not by an exception. */
  error: { code?: string | undefined; message: string } | null = null;
  readonly #waiting: { matches: (event: BaseEvent) => boolean; resolve: (event: BaseEvent) => void }[] = [];

  constructor(
    server: Pick<TestServer, "url">,
    options: { vm?: string; wire?: Wire; key?: string; threadId?: string } = {},
  ) {
    this.agent = new HttpAgent({
      url: `${server.url}/agui${options.vm === undefined ? "" : `/vms/${options.vm}`}`,
      headers: { authorization: `Bearer ${options.key ?? KEY}` },
      ...(options.threadId ? { threadId: options.threadId } : {}),
      fetch: async (url, init) => {
        const headers = new Headers(init?.headers);
        if (options.wire === "protobuf") headers.set("accept", AGUI_MEDIA_TYPE);
        const reply = await fetch(url, { ...init, headers });
        this.contentType = reply.headers.get("content-type") ?? "";
        return reply;
      },
    });
    this.agent.subscribe({
      onEvent: ({ event }) => {
        this.events.push(event);
        for (const waiting of [...this.#waiting])
          if (waiting.matches(event)) {
            this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
            waiting.resolve(event);
          }
      },
      onRunErrorEvent: ({ event }) => {
        this.error = { code: event.code, message: event.message };
      },
    });
  }

  /** Says something; resolves when the run is over. */
  async say(text: string, more: RunAgentParameters = {}): Promise<this> {
    this.agent.addMessage({ id: crypto.randomUUID(), role: "user", content: text });
    return await this.run(more);
  }

  async run(more: RunAgentParameters = {}): Promise<this> {
    this.error = null;
    await this.agent.runAgent(more);
    return this;
  }

  /** The first event from now on that is meant. */
  next(matches: (event: BaseEvent) => boolean): Promise<BaseEvent> {
    const { promise, resolve } = Promise.withResolvers<BaseEvent>();
    this.#waiting.push({ matches, resolve });
    return promise;
  }

  of(type: string): any[] {
    return this.events.filter((event) => event.type === type);
  }
  get types(): string[] {
    return this.events.map(({ type }) => type);
  }
  /** Everything the operator said. */
  get said(): string {
    return this.of("TEXT_MESSAGE_CONTENT")
      .map(({ delta }) => delta)
      .join("");
  }
  get finished(): any {
    return this.of("RUN_FINISHED").at(-1);
  }
  get state(): any {
    return this.agent.state;
  }
}

export const input = (more: object = {}) => ({
  threadId: "t1",
  runId: "r1",
  messages: [] as object[],
  tools: [],
  context: [],
  ...more,
});
export const says = (text: string) => ({ messages: [{ id: "m1", role: "user", content: text }] });

/** One run by plain HTTP. */
export const post = (
  server: TestServer,
  body: unknown,
  init: RequestInit & { path?: string } = {},
): Promise<Response> => server.call(init.path ?? "/agui", { method: "POST", body: JSON.stringify(body), ...init });

/** Events of a recorded stream of server-sent events, held against the order rules by the client's own verifier. */
export async function verified(text: string): Promise<BaseEvent[]> {
  const events = text
    .split("\n\n")
    .filter((block) => block.startsWith("data: "))
    .map((block) => JSON.parse(block.slice("data: ".length)) as BaseEvent);
  return await lastValueFrom(from(events).pipe(verifyEvents(), toArray()), { defaultValue: [] });
}
