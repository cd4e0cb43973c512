import { createHmac, timingSafeEqual } from "node:crypto";
import { type CreateLiveLink, HypeError } from "../../contract/index.ts";
import type { StoredLink } from "../../store/live-links.ts";
import type { Store } from "../../store/store.ts";
import type { Identity } from "../auth/identity.ts";
import type { Keys } from "../auth/keys.ts";

/** A link that is over is kept this long, so that its page can be told why, milliseconds. */
const KEPT_MS = 86_400_000;
/** The clock may be set, the machine may sleep: expiry is looked at again at least this often, milliseconds. */
const LONGEST_WAIT_MS = 30_000;

export type LinkGrant = { link: StoredLink; identity: Identity };
type Watch = { controller: AbortController; timer: Timer | undefined };

export type LiveLinksOptions = {
  store: Pick<Store, "liveLinks" | "write">;
  keys: Pick<Keys, "find">;
  signingKey: Uint8Array;
  /** Milliseconds since 1970. */
  now?: () => number;
};

/**
 * Links that open the live view of one VM: `<link id>.<HMAC-SHA256>`. The row says what a link may do and whether it was revoked; the
 * signature proves that we made it, for that VM's id, which is never used again, by a key whose digest is part of what is signed.
 */
export class LiveLinks implements Disposable {
  readonly #watched = new Map<string, Watch>();
  readonly #now: () => number;

  constructor(private readonly options: LiveLinksOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** @throws HypeError disk_full */
  create(vmId: string, input: CreateLiveLink, key: Identity): { link: StoredLink; token: string } {
    const { store } = this.options;
    const at = this.#now();
    const link: StoredLink = {
      id: Bun.randomUUIDv7(),
      vm_id: vmId,
      key_id: key.id,
      label: input.label,
      view_only: input.view_only,
      created_at: new Date(at).toISOString(),
      expires_at: new Date(at + input.ttl_seconds * 1000).toISOString(),
      revoked_at: null,
    };
    store.write(() => {
      store.liveLinks.prune(new Date(at - KEPT_MS).toISOString());
      store.liveLinks.insert(link);
    });
    return { link, token: `${link.id}.${this.#sign(link, key).toString("base64url")}` };
  }

  /** Who comes with this token, and by whose right. @throws HypeError live_link_invalid */
  verify(token: string, vmId: string | null): LinkGrant {
    const [, id, signature] = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
    const link = id === undefined ? null : this.options.store.liveLinks.find(id);
    const identity = link && this.options.keys.find(link.key_id);
    if (
      !link ||
      !identity ||
      !timingSafeEqual(this.#sign(link, identity), Buffer.from(signature as string, "base64url"))
    )
      throw invalid("the link is not valid");
    if (link.vm_id !== vmId) throw invalid("the link does not open this VM");
    const over = this.#whyOver(link);
    if (over) throw over;
    return { link, identity };
  }

  of(vmId: string): StoredLink[] {
    return this.options.store.liveLinks.of(vmId);
  }

  /** @throws HypeError live_link_not_found */
  get(id: string): StoredLink {
    const link = this.options.store.liveLinks.find(id);
    if (!link) throw new HypeError("live_link_not_found", `there is no live link ${id}`, { link: id });
    return link;
  }

  /** Ends a link and every page it opened, at once. Harmless twice. @throws HypeError live_link_not_found | disk_full */
  revoke(id: string): StoredLink {
    const { store } = this.options;
    this.get(id);
    this.#watched.get(id)?.controller.abort(invalid("the link was revoked"));
    store.write(() => store.liveLinks.revoke(id, new Date(this.#now()).toISOString()));
    return this.get(id);
  }

  /** Aborts, with the reason, when the link is revoked or runs out. */
  ended(link: StoredLink): AbortSignal {
    let watch = this.#watched.get(link.id);
    if (!watch) {
      watch = { controller: new AbortController(), timer: undefined };
      this.#watched.set(link.id, watch);
      watch.controller.signal.addEventListener("abort", () => this.#forget(link.id), { once: true });
      this.#look(link, watch);
    }
    return watch.controller.signal;
  }

  [Symbol.dispose](): void {
    for (const id of this.#watched.keys()) this.#forget(id);
  }

  #look(link: StoredLink, watch: Watch): void {
    const over = this.#whyOver(link);
    if (over) return watch.controller.abort(over);
    const waitMs = Math.min(Math.max(1, Date.parse(link.expires_at) - this.#now()), LONGEST_WAIT_MS);
    watch.timer = setTimeout(() => this.#look(link, watch), waitMs);
    watch.timer.unref();
  }

  #forget(id: string): void {
    clearTimeout(this.#watched.get(id)?.timer);
    this.#watched.delete(id);
  }

  #whyOver(link: StoredLink): HypeError | null {
    if (link.revoked_at !== null) return invalid("the link was revoked");
    return Date.parse(link.expires_at) <= this.#now() ? invalid("the link has run out") : null;
  }

  /** The purpose is part of what is signed, so that no other kind of token can ever stand in for this one. */
  #sign({ id, vm_id }: StoredLink, key: Pick<Identity, "digest">): Buffer {
    return createHmac("sha256", this.options.signingKey)
      .update(`overhyped live v1 ${id} ${vm_id} ${key.digest}`)
      .digest();
  }
}

const invalid = (message: string): HypeError => new HypeError("live_link_invalid", message);
