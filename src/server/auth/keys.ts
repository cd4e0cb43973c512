import { type CreatedKey, type CreateKey, HypeError, type Issue, type Key, messageOf } from "../../contract/index.ts";
import type { Log } from "../../log/log.ts";
import type { StoredKey } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import { Identity } from "./identity.ts";
import { makeKey } from "./key-files.ts";

/** Names that mean something else where a key's name or id is shown. */
const RESERVED = ["admin", "environment", "none", "cdp-token"];
/** Characters of a key that are shown. */
const PREFIX_LENGTH = 12;
/** How long the last use of a key may be out of date, and how long it may wait to be written, milliseconds. */
const USE_NOTED_MS = 60_000;
const USE_WRITTEN_MS = 1_000;
/** The clock may be set meanwhile: expiry is looked at again at least this often, milliseconds. */
const LONGEST_WAIT_MS = 60_000;

const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

type KeyStore = Pick<Store, "keys" | "write">;
export type KeysOptions = {
  /** Id → key. They may do everything, see everything, and never expire. */
  builtIn: Record<string, string>;
  /** null: there are no others. */
  store?: KeyStore | null;
  log?: Log;
  /** Milliseconds since 1970. */
  now?: () => number;
};

/**
 * The keys of this server, all of them in memory: a request costs one hash and one look into a map. Only digests are kept, so a core dump
 * gives no key away, and neither does the time a look takes: it depends on the digest of what was sent, which tells nothing of a key.
 */
export class Keys implements Disposable {
  readonly #byDigest = new Map<string, Identity>();
  readonly #byId = new Map<string, Identity>();
  readonly #used = new Map<string, string>();
  readonly #store: KeyStore | null;
  readonly #log: Log | undefined;
  readonly #now: () => number;
  #expiryTimer: Timer | undefined;
  #useTimer: Timer | undefined;

  constructor({ builtIn, store = null, log, now = Date.now }: KeysOptions) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
    for (const key of store?.keys.all() ?? []) this.#remember(key);
    for (const [id, key] of Object.entries(builtIn))
      this.#add(new Identity({ id, name: null, digest: sha256(key), scope: "admin" }));
    this.#arm();
  }

  /** Whose key this is; null when it is none of ours. It may be over: `use` tells. */
  identify(candidate: string): Identity | null {
    return this.#byDigest.get(sha256(candidate)) ?? null;
  }

  /** By id, for what a key left behind: its CDP tokens. */
  find(id: string): Identity | null {
    return this.#byId.get(id) ?? null;
  }

  /** Notes a use. @returns why the key is over; null while it holds. */
  use(identity: Identity): string | null {
    if (identity.name === null) return null;
    const at = this.#now();
    if (identity.expiresAtMs !== null && at >= identity.expiresAtMs) identity.end("has expired");
    if (identity.ended.aborted) return messageOf(identity.ended.reason);
    if (at - identity.notedAtMs >= USE_NOTED_MS) this.#note(identity, at);
    return null;
  }

  /** @throws HypeError invalid_request | key_name_taken | disk_full */
  create(input: CreateKey): CreatedKey {
    const store = this.#mustStore();
    const restriction =
      input.restriction && (input.restriction.vms.length > 0 || Object.keys(input.restriction.labels).length > 0)
        ? input.restriction
        : null;
    if (RESERVED.includes(input.name)) throw invalid("name", "means a key that is built in: choose another");
    if (input.scope === "admin" && restriction)
      throw invalid("restriction", "is not for scope admin, which could make itself a key without it");
    const expiresAtMs = input.expires_at === null ? null : Date.parse(input.expires_at);
    if (expiresAtMs !== null && !(expiresAtMs > this.#now())) throw invalid("expires_at", "must lie in the future");
    const key = makeKey();
    const row: StoredKey = {
      id: Bun.randomUUIDv7(),
      name: input.name,
      prefix: key.slice(0, PREFIX_LENGTH),
      digest: sha256(key),
      scope: input.scope,
      restriction,
      rate_per_minute: input.rate_per_minute,
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
      created_at: new Date(this.#now()).toISOString(),
      last_used_at: null,
      revoked_at: null,
    };
    store.write(() => store.keys.insert(row));
    this.#remember(row);
    this.#arm();
    return { ...shown(row), key };
  }

  /** Every key of the store, oldest first. */
  list(): Key[] {
    this.#writeUses();
    return this.#mustStore().keys.all().map(shown);
  }

  /** Ends a key and what it holds open, at once. Harmless twice. @param ref name or id. @throws HypeError key_not_found | disk_full */
  revoke(ref: string): Key {
    const store = this.#mustStore();
    const found = store.keys.find(ref);
    if (!found)
      throw new HypeError(
        "key_not_found",
        this.#byId.has(ref)
          ? `the key ${ref} is built in: ${ref === "admin" ? "remove admin.key" : "unset OVERHYPED_API_KEY"} and restart the server`
          : `there is no key ${ref}`,
        { key_ref: ref },
      );
    // First here, then in the database: a full disk must not keep a key alive. The error says that it is to be done again.
    this.#byId.get(found.id)?.end("was revoked");
    this.#writeUses();
    store.write(() => store.keys.revoke(found.id, new Date(this.#now()).toISOString()));
    return shown(store.keys.find(found.id) ?? found);
  }

  /** Writes what is not written yet. */
  [Symbol.dispose](): void {
    clearTimeout(this.#expiryTimer);
    this.#writeUses();
  }

  #mustStore(): KeyStore {
    if (!this.#store) throw new HypeError("internal", "these keys have no store");
    return this.#store;
  }

  #add(identity: Identity): void {
    this.#byDigest.set(identity.digest, identity);
    this.#byId.set(identity.id, identity);
  }

  #remember(key: StoredKey): void {
    const identity = new Identity({
      id: key.id,
      name: key.name,
      digest: key.digest,
      scope: key.scope,
      restriction: key.restriction,
      expiresAtMs: key.expires_at === null ? null : Date.parse(key.expires_at),
      ratePerMinute: key.rate_per_minute,
    });
    if (key.revoked_at !== null) identity.end("was revoked");
    this.#add(identity);
  }

  /** Ends what is due, and sets one timer for the next. */
  #arm(): void {
    clearTimeout(this.#expiryTimer);
    const at = this.#now();
    let next = Infinity;
    for (const identity of this.#byId.values()) {
      if (identity.expiresAtMs === null || identity.ended.aborted) continue;
      if (identity.expiresAtMs <= at) identity.end("has expired");
      else next = Math.min(next, identity.expiresAtMs);
    }
    if (next === Infinity) return;
    this.#expiryTimer = setTimeout(() => this.#arm(), Math.min(next - at, LONGEST_WAIT_MS));
    this.#expiryTimer.unref();
  }

  #note(identity: Identity, at: number): void {
    identity.notedAtMs = at;
    this.#used.set(identity.id, new Date(at).toISOString());
    this.#useTimer ??= setTimeout(() => this.#writeUses(), USE_WRITTEN_MS).unref();
  }

  #writeUses(): void {
    clearTimeout(this.#useTimer);
    this.#useTimer = undefined;
    const uses = [...this.#used];
    this.#used.clear();
    const store = this.#store;
    if (uses.length === 0 || !store) return;
    try {
      store.write(() => uses.forEach(([id, at]) => store.keys.touch(id, at)));
    } catch (thrown) {
      this.#log?.warn(`the last use of ${uses.length} keys could not be written: ${messageOf(thrown)}`);
    }
  }
}

const shown = ({ digest: _digest, ...key }: StoredKey): Key => key;

function invalid(path: string, message: string): HypeError {
  const issues: Issue[] = [{ path, message }];
  return new HypeError("invalid_request", `${path} ${message}`, { issues });
}
