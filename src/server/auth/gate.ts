import { HypeError, LIVE_SUBPROTOCOL } from "../../contract/index.ts";
import type { StoredLink } from "../../store/live-links.ts";
import type { ServerContext } from "../context.ts";
import { LargeBodies } from "../large-bodies.ts";
import { addressMatcher, callerAddress, rateLimitBucket } from "./addresses.ts";
import { failureCounter } from "./failures.ts";
import { hostRules } from "./hosts.ts";
import type { Identity } from "./identity.ts";
import { looksLikeToken, OAuth } from "./oauth.ts";
import { audienceOf, isMcpPath } from "./resource-metadata.ts";
import { holds, isOpen, scopeOf } from "./scopes.ts";
import type { View } from "./view.ts";

/** Who a request comes from, once it is let in. */
export type Caller = {
  /** null on the open routes, and while nobody is known. */
  identity: Identity | null;
  /** The CDP token the caller came with, to be carried over into URLs it is given. */
  cdpToken: string | null;
  /** The live link the caller came with. */
  liveLink: StoredLink | null;
  /** The caller reached us by TLS, ours or a trusted proxy's: URLs given to it are https and wss. */
  isSecure: boolean;
  /** Where the call came from; looked up for calls that the audit may tell of. */
  address: string | null;
  /** What the call does where its path does not tell; null: it changes nothing. */
  action?: { path: string; vm: string | null } | null;
  /** Code of the error the call ended with. */
  error: string | null;
};

const CDP_PATH = /^\/api\/v1\/vms\/([^/]+)\/cdp(?:\/|$)/;
/** Takes bodies of any type and size, since they pass through. */
const UPLOAD_PATH =
  /^\/(?:api\/v1\/vms\/[^/]+\/browser\/uploads\/[^/]+|live\/[^/]+\/files\/[^/]+\/[^/]+|api\/v1\/profiles\/[^/]+\/archive)$/;
const LIVE_PATH = /^\/live\/([^/]+)\/(?:link$|socket\/|files\/|downloads\/)/;

/** The path of a request, as the router sees it. Cut by hand: every object made per request is felt on the list route. */
export function pathOf({ url }: Request): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

/**
 * Stands before every route, before a body is read: address, Host, Origin, key, rate, scope, then size and type of the body.
 * Each check throws the HypeError that becomes the reply.
 */
export function createGate({ config, keys, cdpTokens, live, engine, closing, peerOf }: ServerContext) {
  const isAllowed = config.allowCidr && addressMatcher(config.allowCidr);
  const isTrustedProxy = config.trustedProxies.length > 0 ? addressMatcher(config.trustedProxies) : () => false;
  const isTls = config.tls !== null;
  const hosts = hostRules(config.listen.host, config.apiHosts);
  const failures = failureCounter();
  const callers = new WeakMap<Request, Caller>();
  const largeBodies = new LargeBodies();
  const oauth = config.oauth && new OAuth(config.oauth.issuer, audienceOf(config));
  closing.addEventListener("abort", () => oauth?.[Symbol.dispose](), { once: true });
  /** Tokens that are still to be verified, which takes an answer of the issuer: until then the caller is nobody. */
  const unverified = new WeakMap<Request, { token: string; address: () => string | null }>();

  /** @throws HypeError unauthorized | rate_limited, and counts the failure. */
  const refuse = (address: string | null, message: string): never => {
    const waitSeconds = failures.note(rateLimitBucket(address ?? ""));
    if (waitSeconds === null) throw new HypeError("unauthorized", message);
    throw tooMany("too many failed keys from this address", waitSeconds);
  };

  /** A token opens the CDP routes of the VM it was minted for, by the right of the key that minted it, and nothing else. */
  const checkToken = (token: string, ref: string, address: () => string | null): Identity => {
    const grant = cdpTokens.verify(token, (id) => keys.find(id));
    if (grant === null) return refuse(address(), "the token is not valid");
    if (grant === "expired") throw new HypeError("unauthorized", "the token has expired: mint a new one");
    if (vmIdOf(ref) !== grant.vmId) throw new HypeError("forbidden", "the token does not open this VM");
    return keys.find(grant.keyId) as Identity;
  };
  const vmIdOf = (ref: string): string | null => {
    try {
      return engine.get(decodeURIComponent(ref)).id;
    } catch {
      return null;
    }
  };

  /** A live link opens the page's own routes of its VM, by the right of the key that made it. @throws HypeError live_link_invalid | rate_limited */
  const checkLink = (token: string, ref: string, address: () => string | null) => {
    try {
      const { link, identity } = live.links.verify(token, vmIdOf(ref));
      return { identity, cdpToken: null, liveLink: link };
    } catch (thrown) {
      const waitSeconds = failures.note(rateLimitBucket(address() ?? ""));
      throw waitSeconds === null ? thrown : tooMany("too many links that are not valid from this address", waitSeconds);
    }
  };

  /** @param address asked for only when a failure is to be counted. */
  const authenticate = (request: Request, path: string, address: () => string | null) => {
    const bearer = bearerOf(request);
    const header = request.headers.get("x-overhyped-api-key");
    for (const key of [bearer, header]) {
      const identity = key ? keys.identify(key) : null;
      if (identity !== null) return { identity, cdpToken: null, liveLink: null };
    }
    const watched = LIVE_PATH.exec(path)?.[1];
    const linkToken = watched && (bearer ?? subprotocolToken(request));
    if (watched && linkToken) return checkLink(linkToken, watched, address);
    const ref = CDP_PATH.exec(path)?.[1];
    const token = ref && new URL(request.url).searchParams.get("token");
    if (ref && token) return { identity: checkToken(token, ref, address), cdpToken: token, liveLink: null };
    if (bearer || header) return refuse(address(), "the key is not valid");
    throw new HypeError("unauthorized", "this route needs a key");
  };

  /** What a key that is known may do. Built-in keys may do everything. @throws HypeError unauthorized | rate_limited | forbidden | not_found */
  const authorise = (identity: Identity, request: Request, path: string, address: () => string | null): void => {
    const whyOver = keys.use(identity);
    if (whyOver !== null) refuse(address(), whyOver);
    const waitSeconds = identity.bucket?.take() ?? null;
    if (waitSeconds !== null) throw tooMany(`the key ${identity.name} has had its calls for now`, waitSeconds);
    if (identity.scope === "admin") return;
    const needed = scopeOf(request.method, path);
    // Closed to whatever is not known: the reply is that of a route that is not there.
    if (needed === null) throw new HypeError("not_found", "there is no such route");
    if (!holds(identity.scope, needed))
      throw new HypeError(
        "forbidden",
        `this call needs a key of scope ${needed}; this one is of scope ${identity.scope}`,
      );
  };

  const admit = (request: Request, path: string, peer: () => string | null, addressOf: () => string | null): void => {
    if (isAllowed) {
      const address = addressOf();
      if (address === null || !isAllowed(address))
        throw new HypeError("address_not_allowed", `calls from ${address ?? "an unknown address"} are not allowed`);
    }
    const host = request.headers.get("host") ?? new URL(request.url).host;
    hosts.checkHost(host);
    hosts.checkOrigin(request.headers.get("origin"), host);
    if (isOpen(path)) return;
    const isSecure =
      isTls || (request.headers.get("x-forwarded-proto")?.toLowerCase() === "https" && isTrustedProxy(peer() ?? ""));
    const token = oauth && isMcpPath(path) ? bearerOf(request) : undefined;
    if (token && looksLikeToken(token)) {
      if (closing.aborted) throw new HypeError("shutting_down", "the server is shutting down");
      unverified.set(request, { token, address: addressOf });
      callers.set(request, { ...NOBODY, isSecure, address: addressOf() });
      return checkBody(request, path, largeBodies);
    }
    const { identity, cdpToken, liveLink } = authenticate(request, path, addressOf);
    const isSocket = path.includes("/cdp") || path.endsWith("/shell") || liveLink !== null;
    const isTold = request.method !== "GET" || identity.view !== null || isSocket;
    callers.set(request, { identity, cdpToken, liveLink, isSecure, address: isTold ? addressOf() : null, error: null });
    authorise(identity, request, path, addressOf);
    if (closing.aborted) throw new HypeError("shutting_down", "the server is shutting down");
    if (request.method !== "PUT" || !UPLOAD_PATH.test(path)) checkBody(request, path, largeBodies);
  };

  /** Fails closed: a request that did not come in by a key is nobody's. @throws HypeError unauthorized */
  const identityOf = (request: Request): Identity => {
    const identity = callers.get(request)?.identity;
    if (!identity) throw new HypeError("unauthorized", "this route needs a key");
    return identity;
  };

  return {
    /**
     * @param socketPeer address of the connection's other end.
     * @throws HypeError when the request is not let in.
     */
    enter(request: Request, socketPeer: () => string | null): void {
      const peer = peerOf ? () => peerOf(request) : socketPeer;
      const addressOf = () => callerAddress(peer(), request.headers.get("x-forwarded-for"), isTrustedProxy);
      try {
        admit(request, pathOf(request), peer, addressOf);
      } catch (thrown) {
        callers.set(request, { ...(callers.get(request) ?? NOBODY), address: addressOf() });
        throw thrown;
      }
    },
    /** Verifies the OAuth token of a request to MCP, if it came with one. @throws HypeError unauthorized | forbidden | issuer_unavailable */
    async verify(request: Request): Promise<void> {
      const pending = unverified.get(request);
      if (!pending || !oauth) return;
      unverified.delete(request);
      try {
        const identity = await oauth.identify(pending.token);
        authorise(identity, request, pathOf(request), pending.address);
        callers.set(request, { ...(callers.get(request) ?? NOBODY), identity });
      } catch (thrown) {
        if (thrown instanceof HypeError && thrown.code === "unauthorized") refuse(pending.address(), thrown.message);
        throw thrown;
      }
    },
    /** The call was answered. */
    leave: (request: Request): void => largeBodies.release(request),
    callerOf: (request: Request): Caller => callers.get(request) ?? NOBODY,
    /** For the audit. */
    noteError(request: Request, code: string): void {
      const caller = callers.get(request);
      if (caller) caller.error = code;
      else callers.set(request, { ...NOBODY, error: code });
    },
    /** For the audit: what a call does whose path does not tell. */
    noteAction(request: Request, action: NonNullable<Caller["action"]> | null): void {
      const caller = callers.get(request);
      if (caller) caller.action = action;
    },
    identityOf,
    /** What the caller sees; null: every VM. @throws HypeError unauthorized */
    viewOf(request: Request): View | null {
      return identityOf(request).view;
    },
    /** Whether the caller may look into browsers. @throws HypeError unauthorized */
    mayOperate(request: Request): boolean {
      return holds(identityOf(request).scope, "operate");
    },
    /** Aborts when the caller's key is revoked or expires: what it holds open ends with it. @throws HypeError unauthorized */
    endedOf(request: Request): AbortSignal {
      return identityOf(request).ended;
    },
    /** Stands before every handler of a route that names a VM. @throws HypeError vm_not_found */
    checkVm(request: Request, ref: string): void {
      if (isOpen(pathOf(request))) return;
      this.viewOf(request)?.mustSee(engine.get(ref), ref);
    },
  };
}
export type Gate = ReturnType<typeof createGate>;

const NOBODY: Caller = { identity: null, cdpToken: null, liveLink: null, isSecure: false, address: null, error: null };

const bearerOf = (request: Request): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];

/** Scripts of a page can set no header of a WebSocket but this one. */
function subprotocolToken(request: Request): string | undefined {
  const [name, token] = (request.headers.get("sec-websocket-protocol") ?? "").split(/ *, */);
  return name === LIVE_SUBPROTOCOL ? token : undefined;
}

const tooMany = (what: string, waitSeconds: number): HypeError =>
  new HypeError("rate_limited", `${what}: wait ${waitSeconds} s`, { retry_after_seconds: waitSeconds });

/** @throws HypeError payload_too_large | unsupported_media_type | rate_limited */
function checkBody(request: Request, path: string, largeBodies: LargeBodies): void {
  const length = request.headers.get("content-length");
  const hasBody = Number(length) > 0 || request.headers.has("transfer-encoding");
  if (hasBody && !/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? ""))
    throw new HypeError("unsupported_media_type", "the body must be application/json");
  largeBodies.admit(request, path);
}
