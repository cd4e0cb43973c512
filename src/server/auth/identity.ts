import { HypeError, type KeyRestriction, type Scope } from "../../contract/index.ts";
import { TokenBucket } from "./rate-limit.ts";
import { type View, viewOf } from "./view.ts";

export type IdentityOptions = {
  id: string;
  /** null: one of the keys that stand outside the store. */
  name: string | null;
  /** SHA-256 of the key, hex. */
  digest: string;
  scope: Scope;
  restriction?: KeyRestriction | null;
  expiresAtMs?: number | null;
  ratePerMinute?: number | null;
};

/** Who a key stands for, and what it may do. Lives as long as the server; a key that is over stays known, so that it can be told so. */
export class Identity {
  readonly id: string;
  readonly name: string | null;
  readonly digest: string;
  readonly scope: Scope;
  /** null: it sees every VM. */
  readonly view: View | null;
  /** null: it is not limited. */
  readonly bucket: TokenBucket | null;
  readonly expiresAtMs: number | null;
  /** When its last use was noted, milliseconds since 1970. */
  notedAtMs = 0;
  readonly #ended = new AbortController();

  constructor({ restriction = null, expiresAtMs = null, ratePerMinute = null, ...rest }: IdentityOptions) {
    this.id = rest.id;
    this.name = rest.name;
    this.digest = rest.digest;
    this.scope = rest.scope;
    this.view = viewOf(restriction);
    this.bucket = ratePerMinute === null ? null : new TokenBucket(ratePerMinute);
    this.expiresAtMs = expiresAtMs;
  }

  /** Aborts when the key is revoked or expires, with the reason: what it holds open is closed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** @param what "was revoked", "has expired" */
  end(what: string): void {
    this.#ended.abort(new HypeError("unauthorized", `the key ${this.name} ${what}`));
  }
}
