import type { JWTPayload } from "jose";
import * as v from "valibot";
import { HypeError, messageOf, type Scope } from "../../contract/index.ts";
import { Identity } from "./identity.ts";

/** What a token's `scope` may name; a prefix keeps them apart from the scopes of other services of the same issuer. */
const SCOPES: readonly Scope[] = ["admin", "operate", "read"];
const PREFIX = "overhyped:";
export const OAUTH_SCOPES = [...SCOPES].reverse().map((scope) => `${PREFIX}${scope}`);

const DISCOVERY_MS = 10_000;
const DISCOVERY_BYTES = 1024 * 1024;
/** Callers remembered; the one silent longest is forgotten first, and what it holds open ends. */
const MOST_CALLERS = 1_000;
/** The clock may be set meanwhile, and a timer takes 2^31 ms at most. */
const LONGEST_WAIT_MS = 60_000;
/** By public key only: a shared secret has no place in a JWKS. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

const Metadata = v.object({ issuer: v.string(), jwks_uri: v.pipe(v.string(), v.url()) });
type Known = { identity: Identity; expiresAtMs: number; timer: Timer };
type KeySet = ReturnType<(typeof import("jose"))["createRemoteJWKSet"]>;

/** Three parts of base64url: what none of our keys looks like. */
export const looksLikeToken = (bearer: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(bearer);

/**
 * Access tokens of an issuer (RFC 9068, RFC 8725): signature by its published keys, issuer, audience, time. One identity a subject and
 * scope, so that a token that was renewed is the same caller; it ends with the last token.
 */
export class OAuth implements Disposable {
  readonly #callers = new Map<string, Known>();
  #keySet: Promise<KeySet> | null = null;

  /** @param audience what tokens must be for: the URL of our MCP. */
  constructor(
    readonly issuer: string,
    private readonly audience: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws HypeError unauthorized | forbidden (no scope of ours) | issuer_unavailable */
  async identify(token: string): Promise<Identity> {
    const { jwtVerify, errors } = await import("jose");
    const keySet = await (this.#keySet ??= this.#discover().catch((thrown: unknown) => {
      this.#keySet = null;
      throw thrown;
    }));
    let payload: JWTPayload;
    try {
      const options = {
        issuer: this.issuer,
        audience: this.audience,
        algorithms: ALGORITHMS,
        currentDate: new Date(this.now()),
      };
      ({ payload } = await jwtVerify(token, keySet, { ...options, requiredClaims: ["exp", "sub"] }));
    } catch (thrown) {
      const isOurs = thrown instanceof errors.JOSEError && !(thrown instanceof errors.JWKSTimeout);
      if (isOurs && thrown.code !== "ERR_JOSE_GENERIC")
        throw new HypeError("unauthorized", `the token is not valid: ${thrown.message}`);
      throw unavailable(this.issuer, thrown);
    }
    const held = String(payload.scope ?? payload.scp ?? "").split(/[ ,]+/);
    const scope = SCOPES.find((it) => held.includes(PREFIX + it));
    if (!scope) throw new HypeError("forbidden", `the token holds none of the scopes ${OAUTH_SCOPES.join(", ")}`);
    return this.#caller(String(payload.sub), scope, Number(payload.exp) * 1_000);
  }

  /** Ends every caller. */
  [Symbol.dispose](): void {
    for (const id of [...this.#callers.keys()]) this.#forget(id, "is forgotten: the server shuts down");
  }

  #caller(subject: string, scope: Scope, expiresAtMs: number): Identity {
    const id = `oauth:${Bun.hash(subject).toString(36)}:${scope}`;
    const known = this.#callers.get(`${subject} ${scope}`);
    if (known) {
      known.expiresAtMs = Math.max(known.expiresAtMs, expiresAtMs);
      this.#callers.delete(`${subject} ${scope}`);
      this.#callers.set(`${subject} ${scope}`, known); // the newest comes last
      return known.identity;
    }
    const [oldest] = this.#callers.keys();
    if (oldest !== undefined && this.#callers.size >= MOST_CALLERS)
      this.#forget(oldest, "was forgotten: too many others came");
    const identity = new Identity({ id, name: null, digest: "", scope });
    const entry: Known = { identity, expiresAtMs, timer: setTimeout(() => {}, 0) };
    this.#callers.set(`${subject} ${scope}`, entry);
    this.#watch(`${subject} ${scope}`, entry);
    return identity;
  }

  #watch(who: string, entry: Known): void {
    clearTimeout(entry.timer);
    const left = entry.expiresAtMs - this.now();
    if (left <= 0) return this.#forget(who, "has expired");
    entry.timer = setTimeout(() => this.#watch(who, entry), Math.min(left, LONGEST_WAIT_MS)).unref();
  }

  #forget(who: string, what: string): void {
    const entry = this.#callers.get(who);
    this.#callers.delete(who);
    clearTimeout(entry?.timer);
    entry?.identity.end(what);
  }

  /** Where the issuer keeps its keys (RFC 8414 section 3, OpenID Connect Discovery section 4). */
  async #discover(): Promise<KeySet> {
    const { origin, pathname } = new URL(this.issuer);
    const path = pathname === "/" ? "" : pathname.replace(/\/$/, "");
    let cause: unknown = null;
    for (const url of [
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ])
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_MS), redirect: "error" });
        if (!response.ok) throw new Error(`${url} answered ${response.status}`);
        const text = await response.text();
        if (text.length > DISCOVERY_BYTES) throw new Error(`${url} is too large`);
        const { issuer, jwks_uri: keys } = v.parse(Metadata, JSON.parse(text));
        if (issuer !== this.issuer) throw new Error(`${url} is of another issuer`);
        const { createRemoteJWKSet } = await import("jose");
        return createRemoteJWKSet(new URL(keys));
      } catch (thrown) {
        cause = thrown;
      }
    throw unavailable(this.issuer, cause);
  }
}

const unavailable = (issuer: string, cause: unknown): HypeError =>
  new HypeError("issuer_unavailable", `the keys of ${issuer} cannot be read: ${messageOf(cause)}`, {}, { cause });
