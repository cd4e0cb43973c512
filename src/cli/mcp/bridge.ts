import { messageOf } from "../../contract/errors.ts";
import { eventData, linesOf } from "./lines.ts";
import {
  errorMessage,
  idsAnswered,
  idsAsked,
  isLostSession,
  type Message,
  modernHeaders,
  modernVersion,
  refusal,
} from "./message.ts";

/** Longest message passed on, characters: more than the server takes. */
const MOST = 4 * 1024 * 1024;

/** After the stream of a session broke off, milliseconds. */
const AGAIN_MS = 1_000;
const FAREWELL_MS = 1_000;

export type BridgeOptions = {
  /** Of the server's MCP, with its query. */
  url: string;
  key: string | null;
  ca?: string | undefined;
  input: AsyncIterable<unknown>;
  /** Writes one line to the client. */
  write(line: string): Promise<void>;
  /** Says something to people: never on the wire. */
  note(text: string): void;
  signal: AbortSignal;
};

/** What the server said to a message it did not take. */
type Refused = { status: number; text: string };

/**
 * MCP over stdio, passed on to the server as it is: one message a line on this side, Streamable HTTP on the other, in both eras. A server
 * that is restarted is greeted anew with the client's own `initialize`, so the client notices nothing but a new list of its subscriptions.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Requests of the 2026 era under way: to close their stream is to cancel them. */
  readonly #open = new Map<string | number, AbortController>();
  /** What the client asked and was not answered, and what of that it gave up. */
  readonly #asked = new Set<string | number>();
  readonly #cancelled = new Set<string | number>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #subscribed = new Set<string>();
  #session: string | null = null;
  #version: string | null = null;
  #initialize: Message | null = null;
  #stream: AbortController | null = null;
  #greeting: Promise<Refused | null> | null = null;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  /** Returns when the client closed its end, or the signal aborted. */
  async run(): Promise<void> {
    const { input, signal } = this.#options;
    const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const read = async () => {
      for await (const line of linesOf(input)) {
        const task = this.#take(line).finally(() => this.#tasks.delete(task));
        this.#tasks.add(task);
      }
    };
    await Promise.race([read(), over]);
    this.#stop.abort();
    await Promise.all(this.#tasks);
    await this.#leave();
  }

  async #take(line: string | null): Promise<void> {
    const { write } = this.#options;
    if (line === null) return write(errorMessage(null, -32_600, "Invalid Request: the message is far too long"));
    let message: Message | Message[];
    try {
      message = JSON.parse(line) as Message | Message[];
    } catch {
      return write(errorMessage(null, -32_700, "Parse error: a line is not JSON"));
    }
    if (typeof message !== "object" || message === null)
      return write(errorMessage(null, -32_600, "Invalid Request: a message is an object"));
    const ids = idsAsked(message);
    const refuse = async (code: number, why: string) => {
      const left = ids.filter((id) => this.#asked.delete(id) && !this.#cancelled.has(id));
      for (const id of left) await write(errorMessage(id, code, why));
      if (ids.length === 0) this.#options.note(why);
    };
    for (const id of ids) this.#asked.add(id);
    try {
      if (line.length > MOST) return await refuse(-32_600, `Invalid Request: the message is over ${MOST} characters`);
      await this.#pass(message, line);
      if (this.#signal.aborted || ids.length === 0) return;
      await refuse(-32_000, `the server at ${this.#base} went away before it answered`);
    } catch (thrown) {
      if (this.#signal.aborted) return;
      await refuse(
        -32_000,
        `no hype server answers at ${this.#base}: start one with \`hype serve\` (${messageOf(thrown)})`,
      );
    } finally {
      for (const id of ids) {
        this.#asked.delete(id);
        this.#cancelled.delete(id);
      }
    }
  }

  async #pass(message: Message | Message[], line: string): Promise<void> {
    if (Array.isArray(message)) return await this.#answer(message, await this.#post(line, this.#sessionHeaders()));
    const version = modernVersion(message);
    if (message.method === "notifications/cancelled") {
      const id = message.params?.requestId as string;
      if (this.#asked.has(id)) this.#cancelled.add(id);
      const open = this.#open.get(id);
      if (open) return open.abort();
    }
    if (version !== null) return await this.#passModern(message, line, version);
    if (message.method === "initialize") this.#initialize = message;
    if (message.method === "resources/subscribe") this.#subscribed.add(String(message.params?.uri));
    if (message.method === "resources/unsubscribe") this.#subscribed.delete(String(message.params?.uri));
    const used = this.#session;
    let response = await this.#post(line, this.#sessionHeaders());
    if (response.status === 404 && used !== null && this.#initialize) {
      const text = await response.text();
      const refused = isLostSession(404, text) ? await this.#greetAnew(used) : { status: 404, text };
      if (refused) return await this.#refused(message, refused);
      response = await this.#post(line, this.#sessionHeaders());
    }
    if (message.method === "initialize") this.#session = response.headers.get("mcp-session-id");
    await this.#answer(message, response);
    if (message.method === "notifications/initialized") this.#listen();
  }

  async #passModern(message: Message, line: string, version: string): Promise<void> {
    const stop = new AbortController();
    const { id } = message;
    if (id !== undefined && id !== null) this.#open.set(id, stop);
    try {
      await this.#answer(message, await this.#post(line, modernHeaders(message, version), stop.signal));
    } catch (thrown) {
      if (!stop.signal.aborted) throw thrown;
    } finally {
      if (id !== undefined && id !== null) this.#open.delete(id);
    }
  }

  /** Hands on what the server says, whichever form it has. */
  async #answer(message: Message | Message[], response: Response): Promise<void> {
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream") && response.body) {
      for await (const data of eventData(response.body)) await this.#say(message, data);
      return;
    }
    const text = await response.text();
    if (!response.ok) return await this.#refused(message, { status: response.status, text });
    if (text !== "") await this.#say(message, text);
  }

  async #refused(message: Message | Message[], { status, text }: Refused): Promise<void> {
    const ids = idsAsked(message);
    for (const id of ids) if (this.#asked.delete(id)) await this.#options.write(refusal(id, status, text));
    if (ids.length === 0) this.#options.note(`the server answered ${status}: ${text.slice(0, 500)}`);
  }

  async #say(message: Message | Message[], text: string): Promise<void> {
    if (text === "") return; // a priming event
    for (const id of idsAnswered(text)) this.#asked.delete(id as string);
    if (!Array.isArray(message) && message.method === "initialize") {
      const { result } = JSON.parse(text) as Message;
      if (typeof result?.protocolVersion === "string") this.#version = result.protocolVersion;
    }
    await this.#options.write(text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text);
  }

  /** Once for all who found the session `lost`. @returns what the server said if it would not */
  async #greetAnew(lost: string): Promise<Refused | null> {
    if (this.#session !== lost) return await this.#greeting;
    return await (this.#greeting ??= this.#greet().finally(() => (this.#greeting = null)));
  }

  /** A session the server knows no more is replaced; what was subscribed to is so again. */
  async #greet(): Promise<Refused | null> {
    const id = `hype-${crypto.randomUUID()}`;
    const response = await this.#post(JSON.stringify({ ...this.#initialize, id }));
    if (!response.ok) return { status: response.status, text: await response.text() };
    this.#session = response.headers.get("mcp-session-id");
    await response.text(); // the client knows what it says
    const tell = async (message: object) =>
      void (await (await this.#post(JSON.stringify({ jsonrpc: "2.0", ...message }), this.#sessionHeaders())).text());
    await tell({ method: "notifications/initialized" });
    for (const uri of this.#subscribed)
      await tell({ id: crypto.randomUUID(), method: "resources/subscribe", params: { uri } });
    this.#options.note("the server was restarted; the session goes on");
    this.#listen();
    return null;
  }

  /** What the server says of itself: one stream a session, opened again when it breaks off. */
  #listen(): void {
    this.#stream?.abort();
    const stop = new AbortController();
    this.#stream = stop;
    const session = this.#session;
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const read = async () => {
      while (!signal.aborted && session !== null) {
        try {
          const response = await this.#fetch("GET", { ...this.#sessionHeaders(), accept: "text/event-stream" }, signal);
          if (response.ok && response.body) {
            for await (const data of eventData(response.body)) if (data) await this.#options.write(data);
          } else {
            const isLost = isLostSession(response.status, await response.text());
            if (response.status === 405) return;
            if (isLost && (await this.#greetAnew(session)) === null) return; // it listens anew
          }
        } catch {
          // The next call says what is wrong.
        }
        await pause(AGAIN_MS, signal);
      }
    };
    const task = read().finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #leave(): Promise<void> {
    if (this.#session === null) return;
    await this.#fetch("DELETE", this.#sessionHeaders(), AbortSignal.timeout(FAREWELL_MS)).catch(() => {});
  }

  get #base(): string {
    return new URL(this.#options.url).origin;
  }

  #sessionHeaders(): Record<string, string> {
    return {
      ...(this.#session !== null && { "mcp-session-id": this.#session }),
      ...(this.#session !== null && this.#version !== null && { "mcp-protocol-version": this.#version }),
    };
  }

  #post(line: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const both = signal ? AbortSignal.any([this.#signal, signal]) : this.#signal;
    const more = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    return this.#fetch("POST", { ...more, ...headers }, both, line);
  }

  #fetch(method: string, headers: Record<string, string>, signal: AbortSignal, body?: string): Promise<Response> {
    const { url, key, ca } = this.#options;
    return fetch(url, {
      method,
      headers: { ...headers, ...(key !== null && { authorization: `Bearer ${key}` }) },
      signal,
      timeout: false, // calls last as long as what they do
      ...(body !== undefined && { body }),
      ...(ca !== undefined && { tls: { ca } }),
    } as RequestInit);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    if (signal.aborted) {
      clearTimeout(timer);
      resolve();
    }
  });
