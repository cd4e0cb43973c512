import { messageOf } from "../../contract/errors.ts";
import { eventData, linesOf } from "./lines.ts";
import { errorMessage, isRequest, type Message, modernHeaders, modernVersion } from "./message.ts";

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
  readonly #tasks = new Set<Promise<void>>();
  readonly #subscribed = new Set<string>();
  #session: string | null = null;
  #version: string | null = null;
  #initialize: Message | null = null;
  #stream: AbortController | null = null;
  #greeting: Promise<void> | null = null;

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
    if (line === null) return this.#options.write(errorMessage(null, -32_600, "the message is too long"));
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      return this.#options.write(errorMessage(null, -32_700, "Parse error: a line is not JSON"));
    }
    try {
      await this.#pass(message, line);
    } catch (thrown) {
      if (this.#signal.aborted) return;
      const why = `no hype server answers at ${this.#base}: start one with \`hype serve\` (${messageOf(thrown)})`;
      if (isRequest(message)) await this.#options.write(errorMessage(message.id, -32_000, why));
      else this.#options.note(why);
    }
  }

  async #pass(message: Message, line: string): Promise<void> {
    const version = modernVersion(message);
    if (message.method === "notifications/cancelled") {
      const open = this.#open.get(message.params?.requestId as string);
      if (open) return open.abort();
    }
    if (version !== null) return await this.#passModern(message, line, version);
    if (message.method === "initialize") this.#initialize = message;
    if (message.method === "resources/subscribe") this.#subscribed.add(String(message.params?.uri));
    if (message.method === "resources/unsubscribe") this.#subscribed.delete(String(message.params?.uri));
    const used = this.#session;
    let response = await this.#post(line, this.#sessionHeaders());
    if (response.status === 404 && used !== null && this.#initialize) {
      await response.body?.cancel();
      if (this.#session === used) await (this.#greeting ??= this.#greet().finally(() => (this.#greeting = null)));
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
  async #answer(message: Message, response: Response): Promise<void> {
    const { write } = this.#options;
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream") && response.body) {
      for await (const data of eventData(response.body)) await this.#say(message, data);
      return;
    }
    const text = await response.text();
    if (response.ok) return text === "" ? undefined : await this.#say(message, text);
    if (!isRequest(message)) return this.#options.note(`the server answered ${response.status}: ${text.slice(0, 500)}`);
    await write(refusal(message, response.status, text));
  }

  async #say(message: Message, text: string): Promise<void> {
    if (text === "") return; // a priming event
    if (message.method === "initialize") {
      const { result } = JSON.parse(text) as Message;
      if (typeof result?.protocolVersion === "string") this.#version = result.protocolVersion;
    }
    await this.#options.write(text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text);
  }

  /** A session the server knows no more is replaced; what was subscribed to is so again. */
  async #greet(): Promise<void> {
    this.#session = null;
    const id = `hype-${crypto.randomUUID()}`;
    const response = await this.#post(JSON.stringify({ ...this.#initialize, id }));
    if (!response.ok) throw new Error(`the server answered ${response.status} to initialize`);
    this.#session = response.headers.get("mcp-session-id");
    await response.text(); // the client knows what it says
    const tell = async (message: object) =>
      void (await (await this.#post(JSON.stringify({ jsonrpc: "2.0", ...message }), this.#sessionHeaders())).text());
    await tell({ method: "notifications/initialized" });
    for (const uri of this.#subscribed)
      await tell({ id: crypto.randomUUID(), method: "resources/subscribe", params: { uri } });
    this.#options.note("the server was restarted; the session goes on");
    this.#listen();
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
          if (response.status === 404 || response.status === 405) return void (await response.body?.cancel());
          for await (const data of eventData(response.body ?? (async function* () {})()))
            if (data) await this.#options.write(data);
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

/** What the server refused, in the client's protocol: its own words where it speaks MCP, else those of the problem document. */
function refusal({ id }: Message, status: number, text: string): string {
  try {
    const said = JSON.parse(text) as { error?: unknown; detail?: string; remedy?: string };
    if (said.error) return JSON.stringify({ jsonrpc: "2.0", id, error: said.error });
    if (said.detail) return errorMessage(id, -32_000, `${said.detail}. ${said.remedy ?? ""}`.trim());
  } catch {
    // no JSON
  }
  return errorMessage(id, -32_000, `the server answered ${status}`);
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
