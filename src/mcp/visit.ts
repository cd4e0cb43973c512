import type { AuthInfo, ServerContext } from "@modelcontextprotocol/server";
import type { Scope, ToolSelection } from "../contract/index.ts";
import type { House } from "../tools/house.ts";

/** Who stands at the door: a key that was let in, and what its request asks for. */
export type Visit = {
  /** Stands for the key; the same object for every request of it. */
  key: object;
  /** The key's id, for what is remembered of it. */
  keyId: string;
  scope: Scope;
  /** Narrowed to what the key sees. */
  house: House;
  /** Aborts when the key is revoked or expires: what it holds open ends. */
  ended: AbortSignal;
  /** Tells clients of one key and one name apart where there are no sessions; null: they share a current tab. */
  client: string | null;
  /** The VM the endpoint is for; null: tools take `vm`. */
  vm: string | null;
  selection: ToolSelection;
  /** Told of every call of a tool that changes something, with what became of it. */
  noteChange(change: Change): void;
};

/** A call of a tool, as the audit tells of it. @property vm as the caller named it @property error its code; null: it was done */
export type Change = { tool: string; vm: string | null; error: string | null; durationMs: number };

/** A visit on its way through the SDK, which hands it to the handlers of its request. @param client what the client calls itself */
export const carried = (visit: Visit, client = ""): AuthInfo => ({
  token: "",
  clientId: client,
  scopes: [visit.scope],
  extra: { visit },
});

export const visitIn = (authInfo: AuthInfo | undefined): Visit | undefined =>
  (authInfo?.extra as { visit?: Visit } | undefined)?.visit;

/** Of the request a handler answers: a session has many. */
export const visitOf = (ctx: ServerContext): Visit | undefined => visitIn(ctx.http?.authInfo);
