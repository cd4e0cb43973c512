import { HypeError, LIMITS } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { addressMatcher, callerAddress, rateLimitBucket } from "./addresses.ts";
import { failureCounter } from "./failures.ts";
import { hostRules } from "./hosts.ts";
import type { Identity } from "./identity.ts";
import { holds, OPEN_PATHS, scopeOf } from "./scopes.ts";
import type { View } from "./view.ts";

/** Who a request comes from, once it is let in. */
export type Caller = {
  /** null on the open routes, and while nobody is known. */
  identity: Identity | null;
  /** The CDP token the caller came with, to be carried over into URLs it is given. */
  cdpToken: string | null;
  /** The caller reached us by TLS, ours or a trusted proxy's: URLs given to it are https and wss. */
  isSecure: boolean;
  /** Where the call came from; looked up for calls that the audit may tell of. */
  address: string | null;
  /** Code of the error the call ended with. */
  error: string | null;
};

const CDP_PATH = /^\/api\/v1\/vms\/([^/]+)\/cdp(?:\/|$)/;

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
export function createGate({ config, keys, cdpTokens, engine, closing, peerOf }: ServerContext) {
  const isAllowed = config.allowCidr && addressMatcher(config.allowCidr);
  const isTrustedProxy = config.trustedProxies.length > 0 ? addressMatcher(config.trustedProxies) : () => false;
  const isTls = config.tls !== null;
  const hosts = hostRules(config.listen.host, config.apiHosts);
  const failures = failureCounter();
  const callers = new WeakMap<Request, Caller>();

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

  /** @param address asked for only when a failure is to be counted. */
  const authenticate = (request: Request, path: string, address: () => string | null) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const header = request.headers.get("x-overhyped-api-key");
    for (const key of [bearer, header]) {
      const identity = key ? keys.identify(key) : null;
      if (identity !== null) return { identity, cdpToken: null };
    }
    const ref = CDP_PATH.exec(path)?.[1];
    const token = ref && new URL(request.url).searchParams.get("token");
    if (ref && token) return { identity: checkToken(token, ref, address), cdpToken: token };
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
    if (OPEN_PATHS.has(path)) return;
    const isSecure =
      isTls || (request.headers.get("x-forwarded-proto")?.toLowerCase() === "https" && isTrustedProxy(peer() ?? ""));
    const { identity, cdpToken } = authenticate(request, path, addressOf);
    const isTold = request.method !== "GET" || identity.view !== null || path.includes("/cdp");
    callers.set(request, { identity, cdpToken, isSecure, address: isTold ? addressOf() : null, error: null });
    authorise(identity, request, path, addressOf);
    if (closing.aborted) throw new HypeError("shutting_down", "the server is shutting down");
    checkBody(request);
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
    callerOf: (request: Request): Caller => callers.get(request) ?? NOBODY,
    /** For the audit. */
    noteError(request: Request, code: string): void {
      const caller = callers.get(request);
      if (caller) caller.error = code;
      else callers.set(request, { ...NOBODY, error: code });
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
      this.viewOf(request)?.mustSee(engine.get(ref), ref);
    },
  };
}
export type Gate = ReturnType<typeof createGate>;

const NOBODY: Caller = { identity: null, cdpToken: null, isSecure: false, address: null, error: null };

const tooMany = (what: string, waitSeconds: number): HypeError =>
  new HypeError("rate_limited", `${what}: wait ${waitSeconds} s`, { retry_after_seconds: waitSeconds });

/** @throws HypeError payload_too_large | unsupported_media_type */
function checkBody(request: Request): void {
  const length = request.headers.get("content-length");
  if (Number(length) > LIMITS.body_bytes)
    throw new HypeError("payload_too_large", `the body may hold at most ${LIMITS.body_bytes} bytes`, {
      limit_bytes: LIMITS.body_bytes,
    });
  const hasBody = Number(length) > 0 || request.headers.has("transfer-encoding");
  if (hasBody && !/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? ""))
    throw new HypeError("unsupported_media_type", "the body must be application/json");
}
