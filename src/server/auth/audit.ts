import { type AuditList, HypeError, messageOf } from "../../contract/index.ts";
import type { Log } from "../../log/log.ts";
import type { NewAuditEntry } from "../../store/audit.ts";
import type { Store } from "../../store/store.ts";
import { rateLimitBucket } from "./addresses.ts";
import { pathOf, type Caller } from "./gate.ts";
import { Refusals } from "./refusals.ts";

/** How long an entry may wait to be written with others, milliseconds: what a killed server loses. */
const WRITE_MS = 250;
const WRITE_ROWS = 500;
/** Entries written between two looks whether there are too many. */
const PRUNE_EVERY = 1_000;
const DEFAULT_LIMIT = 100;

const REFUSED: ReadonlySet<number> = new Set([401, 403, 429]);
/** Methods that change nothing (RFC 9110 section 9.2.1); what a GET does in the CDP door is another matter. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const VM_OF_PATH = /^\/(?:api\/v1\/vms|live)\/([a-z0-9][a-z0-9-]{0,62})(?:\/|$)/;
const CDP_ACTION = /\/cdp\/json\/(?:new|activate|close)(?:\/|$)/;

export type AuditQuery = { after?: number; limit?: number; key?: string; vm?: string };

/**
 * Who changed what, from where, with what result. Entries are gathered and written together after the replies; queries, bodies and keys
 * are never in them.
 */
export class AuditTrail implements Disposable {
  readonly #store: Pick<Store, "audit" | "write">;
  readonly #log: Log;
  readonly #refusals: Refusals;
  #pending: NewAuditEntry[] = [];
  #timer: Timer | undefined;
  #sincePruned = 0;

  constructor({ store, log }: { store: Pick<Store, "audit" | "write">; log: Log }) {
    this.#store = store;
    this.#log = log;
    this.#refusals = new Refusals((entry) => this.#add(entry));
    store.write(() => store.audit.prune());
  }

  /** @param durationMs from the first byte of the request to the head of the reply */
  note(request: Request, response: Response, caller: Caller, durationMs: number): void {
    const { status } = response;
    const { identity, action } = caller;
    const path = action?.path ?? pathOf(request);
    const isRefused = REFUSED.has(status);
    if (!isRefused && (action === null || !isChange(request.method, path, status, caller))) return;
    const entry: NewAuditEntry = {
      at: new Date().toISOString(),
      key_id: identity?.id ?? "none",
      key_name: identity?.name ?? null,
      address: caller.address,
      method: request.method.slice(0, 16),
      path: path.slice(0, 200),
      vm: action ? action.vm : (VM_OF_PATH.exec(response.headers.get("location") ?? path)?.[1] ?? null),
      status,
      error: caller.error,
      duration_ms: Math.round(durationMs * 10) / 10,
      calls: 1,
    };
    if (identity && !isRefused) return this.#add(entry);
    const who = identity ? identity.id : rateLimitBucket(caller.address ?? "");
    this.#refusals.note(entry, `${who} ${entry.error}`, identity === null);
  }

  /** Entries in order: those after `after`, or the newest. */
  list({ after, limit = DEFAULT_LIMIT, key, vm }: AuditQuery): AuditList {
    this.#write();
    const items = this.#store.audit.list({ after, limit: limit + 1, key, vm });
    if (after === undefined) return { items: items.slice(-limit), next: null };
    const page = items.slice(0, limit);
    return { items: page, next: items.length > limit ? (page.at(-1)?.seq ?? null) : null };
  }

  /** Writes what is not written yet. */
  [Symbol.dispose](): void {
    this.#refusals.end();
    this.#write();
  }

  #add(entry: NewAuditEntry): void {
    this.#pending.push(entry);
    if (this.#pending.length >= WRITE_ROWS) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), WRITE_MS).unref();
  }

  /** A disk that is full must not end the server: what cannot be written goes to the log, which may lie elsewhere. */
  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#pending;
    if (entries.length === 0) return;
    this.#pending = [];
    const { audit } = this.#store;
    this.#sincePruned += entries.length;
    const isPruning = this.#sincePruned >= PRUNE_EVERY;
    if (isPruning) this.#sincePruned = 0;
    try {
      this.#store.write(() => {
        for (const entry of entries) audit.append(entry);
        if (isPruning) audit.prune();
      });
    } catch (thrown) {
      const code = thrown instanceof HypeError ? thrown.code : "internal";
      this.#log.error(`${entries.length} entries of the audit could not be written: ${messageOf(thrown)}`, { code });
      for (const { key_id: by, key_name, ...entry } of entries)
        this.#log.info("audit", { by, name: key_name, ...entry });
    }
  }
}

/**
 * What the audit tells of besides refusals: every call that is not safe by its method; of the CDP door also sockets that open, tabs opened,
 * shown or closed, and every call with a key, since its reply holds a new token.
 */
function isChange(method: string, path: string, status: number, { cdpToken, identity }: Caller): boolean {
  if (!SAFE.has(method)) return true;
  if (status === 101) return true;
  if (!path.includes("/cdp") || VM_OF_PATH.exec(path) === null) return false;
  return CDP_ACTION.test(path) || (identity !== null && cdpToken === null && status < 400);
}
