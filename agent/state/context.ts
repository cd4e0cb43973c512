import type { Commands, Connection, Params, Result } from "../cdp/connection.ts";

/** One cookie jar with its storage: the browser's own, or that of an isolated context. */
export class Context {
  /** What commands on the browser's own session take; empty for the browser's own context. */
  readonly params: { browserContextId?: string };

  constructor(
    readonly connection: Connection,
    /** What targets name it by. */
    readonly id: string,
    readonly isDefault: boolean,
    readonly signal: AbortSignal,
  ) {
    this.params = isDefault ? {} : { browserContextId: id };
  }

  send<M extends keyof Commands>(method: M, params: Params<M>): Promise<Result<M>> {
    return this.connection.send(method, params, { signal: this.signal });
  }
}
