import type { EventEmitter } from "node:events";
import CDP from "chrome-remote-interface";
import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping";
import { HypeError, messageOf } from "../../src/contract/index.ts";

export type Commands = ProtocolMapping.Commands;
export type Events = ProtocolMapping.Events;
export type Params<M extends keyof Commands> = Commands[M]["paramsType"][0];
export type Result<M extends keyof Commands> = Commands[M]["returnType"];

export type SendOptions = {
  sessionId?: string;
  signal?: AbortSignal;
  /** It is the browser process that answers, whether the tab's renderer lives or not. */
  outlivesCrash?: boolean;
};
type Pending = { sessionId: string | undefined; outlivesCrash: boolean; reject: (error: HypeError) => void };

/** Chromium said no to a command; `detail` is its own sentence. Operations turn it into one of their errors. */
export class CommandRefused extends Error {
  constructor(
    readonly method: string,
    readonly detail: string,
  ) {
    super(`${method}: ${detail}`);
  }
}

/**
 * One connection to the browser's DevTools. Sessions of tabs are flattened into it. What chrome-remote-interface leaves open is
 * closed here: a command whose tab or browser goes away fails at once, and every command ends with its caller's signal.
 */
export class Connection {
  #pending = new Set<Pending>();
  #targets = new Map<string, string>(); // session id -> target id
  readonly closed: Promise<void>;

  private constructor(private readonly client: CDP.Client) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    client.on("disconnect", () => {
      this.#fail(() => true, new HypeError("browser_unavailable", "the connection to Chromium was lost"));
      resolve();
    });
    this.on("Target.attachedToTarget", ({ sessionId, targetInfo }) =>
      this.#targets.set(sessionId, targetInfo.targetId),
    );
    this.on("Target.detachedFromTarget", ({ sessionId }) => {
      this.#targets.delete(sessionId);
      this.#fail((pending) => pending.sessionId === sessionId, new HypeError("tab_not_found", "the tab was closed"));
    });
    this.on("Target.targetCrashed", ({ targetId, status }) =>
      this.#crashed((sessionId) => this.#targets.get(sessionId) === targetId, ` (${status})`),
    );
    // Of a tab that was dead already when the session began, this alone is told.
    this.on("Inspector.targetCrashed", (_, crashed) => this.#crashed((sessionId) => sessionId === crashed));
  }

  /** @throws HypeError `browser_unavailable` */
  static async open(devtools: URL): Promise<Connection> {
    process.noDeprecation = true; // chrome-remote-interface uses url.parse; Bun would say so on the console
    try {
      const client = await CDP({
        target: devtools.href,
        // Without a protocol it would load its own, a megabyte we have no use for.
        protocol: { version: { major: "1", minor: "3" }, domains: [] },
      });
      const connection = new Connection(client);
      connection.send("Target.setDiscoverTargets", { discover: true }).catch(() => {}); // a lost connection shows in what follows
      return connection;
    } catch (thrown) {
      throw new HypeError("browser_unavailable", messageOf(thrown), {}, { cause: thrown });
    }
  }

  /**
   * @throws CommandRefused when Chromium refuses, HypeError `browser_unavailable` | `tab_not_found` | `tab_crashed` when the other
   * end goes away, and the signal's reason when it aborts.
   */
  send<M extends keyof Commands>(method: M, params: Params<M>, options: SendOptions = {}): Promise<Result<M>> {
    return this.wait(options, (resolve, reject) =>
      this.#raw(method, params ?? {}, options.sessionId).then(resolve as (value: unknown) => void, (thrown: unknown) =>
        reject(refusal(method, thrown)),
      ),
    );
  }

  /**
   * Waits for whatever `begin` resolves, no longer than the session, the connection and the signal last.
   * @throws as {@link Connection.send}
   */
  wait<T>(
    { sessionId, signal, outlivesCrash = false }: SendOptions,
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const pending: Pending = { sessionId, outlivesCrash, reject };
    const onAbort = () => reject(signal!.reason);
    this.#pending.add(pending);
    signal?.addEventListener("abort", onAbort, { once: true });
    begin(resolve, reject);
    return promise.finally(() => {
      this.#pending.delete(pending);
      signal?.removeEventListener("abort", onAbort);
    });
  }

  /**
   * @returns a function that stops listening. `sessionId` undefined: events of the browser and of all sessions; the listener is
   * told which.
   */
  on<E extends keyof Events>(
    event: E,
    listener: (params: Events[E][0], sessionId?: string) => void,
    sessionId?: string,
  ): () => void {
    const name = sessionId ? `${event}.${sessionId}` : event;
    this.client.on(name as never, listener as never);
    return () => void (this.client as unknown as EventEmitter).off(name, listener);
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  #raw(method: string, params: object, sessionId: string | undefined): Promise<unknown> {
    return this.client.send(method as never, params as never, sessionId as never) as unknown as Promise<unknown>;
  }

  #crashed(isOne: (sessionId: string) => boolean, how = ""): void {
    this.#fail(
      ({ sessionId, outlivesCrash }) => !outlivesCrash && sessionId !== undefined && isOne(sessionId),
      new HypeError("tab_crashed", `the tab's renderer died${how}`),
    );
  }

  #fail(concerned: (pending: Pending) => boolean, error: HypeError): void {
    for (const pending of this.#pending) if (concerned(pending)) pending.reject(error);
  }
}

function refusal(method: string, thrown: unknown): Error {
  const { response } = thrown as { response?: { message?: string; data?: string } };
  if (response)
    return new CommandRefused(method, [response.message, response.data].filter(Boolean).join(": ") || "refused");
  return new HypeError("browser_unavailable", messageOf(thrown), {}, { cause: thrown });
}
