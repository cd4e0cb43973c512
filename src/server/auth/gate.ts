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

type Identity = Omit<Caller, "isSecure">;

/** Answer without a key, and say nothing about anybody's VMs. */
const OPEN_PATHS = new Set(["/healthz", "/readyz", "/openapi.json"]);
const CDP_PATH = /^\/api\/v1\/vms\/([^/]+)\/cdp(?:\/|$)/;

export const pathOf = (request: Request): string => new URL(request.url).pathname;

/**
 * Stands before every route, before a body is read: address, Host, Origin, key, then size and type of the body.
 * Each check throws the HypeError that becomes the reply.
 */
export function createGate({ config, keys, cdpTokens, engine, closing, peerOf }: ServerContext) {
  const isAllowed = config.allowCidr && addressMatcher(config.allowCidr);
  const isTrustedProxy = addressMatcher(config.trustedProxies);
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
  const checkToken = (token: string, ref: string, address: string | null): Identity => {
    const grant = cdpTokens.verify(token);
    if (grant === null) return refuse(address, "the token is not valid");
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

  const authenticate = (request: Request, path: string, address: string | null): Identity => {
    const sent = [
      /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1],
      request.headers.get("x-overhyped-api-key") ?? undefined,
    ].filter((key) => key !== undefined);
    for (const key of sent) {
      const keyId = keys.identify(key);
      if (keyId !== null) return { keyId, cdpToken: null };
    }
    const ref = CDP_PATH.exec(path)?.[1];
    const token = ref && new URL(request.url).searchParams.get("token");
    if (ref && token) return checkToken(token, ref, address);
    if (sent.length > 0) return refuse(address, "the key is not valid");
    throw new HypeError("unauthorized", "this route needs a key");
  };

  return {
    /** @throws HypeError when the request is not let in. */
    enter(request: Request, socketPeer: string | null): void {
      const peer = peerOf ? peerOf(request) : socketPeer;
      const address = callerAddress(peer, request.headers.get("x-forwarded-for"), isTrustedProxy);
      if (isAllowed && (address === null || !isAllowed(address)))
        throw new HypeError("address_not_allowed", `calls from ${address ?? "an unknown address"} are not allowed`);
      const host = request.headers.get("host") ?? new URL(request.url).host;
      hosts.checkHost(host);
      hosts.checkOrigin(request.headers.get("origin"), host);
      const path = pathOf(request);
      if (OPEN_PATHS.has(path)) return;
      const isSecure =
        peer !== null && isTrustedProxy(peer) && request.headers.get("x-forwarded-proto")?.toLowerCase() === "https";
      callers.set(request, { ...authenticate(request, path, address), isSecure });
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
