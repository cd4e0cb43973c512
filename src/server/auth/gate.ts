import { HypeError, LIMITS } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { addressMatcher, callerAddress, rateLimitBucket } from "./addresses.ts";
import { failureCounter } from "./failures.ts";
import { hostRules } from "./hosts.ts";

/** Who a request comes from, once it is let in. */
export type Caller = {
  /** Id of the key, for the log; "none" on the open routes. */
  keyId: string;
  /** The CDP token the caller came with, to be carried over into URLs it is given. */
  cdpToken: string | null;
  /** The caller reached us through a trusted proxy that speaks TLS: URLs given to it are https and wss. */
  isSecure: boolean;
};

/** Answer without a key, and say nothing about anybody's VMs. */
const OPEN_PATHS = new Set(["/healthz", "/readyz", "/openapi.json"]);
const CDP_PATH = /^\/api\/v1\/vms\/([^/]+)\/cdp(?:\/|$)/;

/** The path of a request, as the router sees it. Cut by hand: every object made per request is felt on the list route. */
export function pathOf({ url }: Request): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

/**
 * Stands before every route, before a body is read: address, Host, Origin, key, then size and type of the body.
 * Each check throws the HypeError that becomes the reply.
 */
export function createGate({ config, keys, cdpTokens, engine, closing, peerOf }: ServerContext) {
  const isAllowed = config.allowCidr && addressMatcher(config.allowCidr);
  const isTrustedProxy = config.trustedProxies.length > 0 ? addressMatcher(config.trustedProxies) : () => false;
  const hosts = hostRules(config.listen.host, config.apiHosts);
  const failures = failureCounter();
  const callers = new WeakMap<Request, Caller>();

  /** @throws HypeError unauthorized | rate_limited, and counts the failure. */
  const refuse = (address: string | null, message: string): never => {
    const waitSeconds = failures.note(rateLimitBucket(address ?? ""));
    if (waitSeconds === null) throw new HypeError("unauthorized", message);
    throw new HypeError("rate_limited", `too many failed keys from this address: wait ${waitSeconds} s`, {
      retry_after_seconds: waitSeconds,
    });
  };

  /** A token opens the CDP routes of the VM it was minted for, and nothing else. */
  const checkToken = (token: string, ref: string, address: () => string | null) => {
    const grant = cdpTokens.verify(token);
    if (grant === null) return refuse(address(), "the token is not valid");
    if (grant === "expired") throw new HypeError("unauthorized", "the token has expired: mint a new one");
    if (vmIdOf(ref) !== grant.vmId) throw new HypeError("forbidden", "the token does not open this VM");
    return { keyId: "cdp-token", cdpToken: token };
  };
  const vmIdOf = (ref: string): string | null => {
    try {
      return engine.get(decodeURIComponent(ref)).id;
    } catch {
      return null;
    }
  };

  /** @param address asked for only when a failure is to be counted. */
  const authenticate = (request: Request, path: string, isSecure: boolean, address: () => string | null): Caller => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const header = request.headers.get("x-overhyped-api-key");
    for (const key of [bearer, header]) {
      const keyId = key ? keys.identify(key) : null;
      if (keyId !== null) return { keyId, cdpToken: null, isSecure };
    }
    const ref = CDP_PATH.exec(path)?.[1];
    const token = ref && new URL(request.url).searchParams.get("token");
    if (ref && token) return { ...checkToken(token, ref, address), isSecure };
    if (bearer || header) return refuse(address(), "the key is not valid");
    throw new HypeError("unauthorized", "this route needs a key");
  };

  return {
    /**
     * @param socketPeer address of the connection's other end.
     * @throws HypeError when the request is not let in.
     */
    enter(request: Request, socketPeer: () => string | null): void {
      const peer = peerOf ? () => peerOf(request) : socketPeer;
      const addressOf = () => callerAddress(peer(), request.headers.get("x-forwarded-for"), isTrustedProxy);
      if (isAllowed) {
        const address = addressOf();
        if (address === null || !isAllowed(address))
          throw new HypeError("address_not_allowed", `calls from ${address ?? "an unknown address"} are not allowed`);
      }
      const host = request.headers.get("host") ?? new URL(request.url).host;
      hosts.checkHost(host);
      hosts.checkOrigin(request.headers.get("origin"), host);
      const path = pathOf(request);
      if (OPEN_PATHS.has(path)) return;
      const isSecure =
        request.headers.get("x-forwarded-proto")?.toLowerCase() === "https" && isTrustedProxy(peer() ?? "");
      callers.set(request, authenticate(request, path, isSecure, addressOf));
      if (closing.aborted) throw new HypeError("shutting_down", "the server is shutting down");
      checkBody(request);
    },
    callerOf: (request: Request): Caller => callers.get(request) ?? { keyId: "none", cdpToken: null, isSecure: false },
  };
}
export type Gate = ReturnType<typeof createGate>;

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
