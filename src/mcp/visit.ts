import type { Scope } from "../contract/index.ts";
import type { House } from "../tools/house.ts";
import type { Selection } from "../tools/registry.ts";

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
  /** Tells clients of one key apart where there are no sessions; null: they share a current tab. */
  client: string | null;
  /** The VM the endpoint is for; null: tools take `vm`. */
  vm: string | null;
  selection: Selection;
};
