import ipaddr from "ipaddr.js";
import { HypeError } from "../../contract/index.ts";

/** `HOST[:PORT]` (RFC 9110 section 7.2), nothing else: no user part, no path. IPv6 stands in brackets. */
const HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+?)\.?(?::\d{1,5})?$/;
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];
const WILDCARD = ["0.0.0.0", "::"];

/** Chrome's own inspector page: not a web page, and no web page can take this origin. */
const DEVTOOLS_ORIGIN = "devtools://devtools";

/** Lower case, no port, no brackets, no trailing dot; null when the text is no host. */
export function hostName(host: string): string | null {
  const name = HOST.exec(host)?.[1];
  return name === undefined ? null : name.replace(/^\[|\]$/g, "").toLowerCase();
}

export type HostRules = {
  checkHost(host: string | null): void;
  checkOrigin(origin: string | null, host: string): void;
};

/**
 * The guard against DNS rebinding and against web pages that call this server from a user's browser.
 * @param listenHost address the server listens on; on a wildcard every literal address is accepted as Host, since rebinding needs a name.
 * @param apiHosts further names, accepted in Host and in Origin.
 */
export function hostRules(listenHost: string, apiHosts: readonly string[]): HostRules {
  const further = new Set(apiHosts.map((host) => hostName(host) ?? host.toLowerCase()));
  const names = new Set([...LOOPBACK, listenHost.toLowerCase(), ...further]);
  const anyLiteral = WILDCARD.includes(listenHost);
  return {
    /** @throws HypeError host_not_allowed */
    checkHost(host) {
      const name = host === null ? null : hostName(host);
      if (name !== null && (names.has(name) || (anyLiteral && ipaddr.isValid(name)))) return;
      throw new HypeError("host_not_allowed", `the Host header ${quote(host)} is not a name of this server`);
    },
    /** @throws HypeError origin_not_allowed */
    checkOrigin(origin, host) {
      if (origin === null || origin === DEVTOOLS_ORIGIN) return;
      const [scheme, authority = ""] = origin.split("://");
      if (scheme === "http" || scheme === "https") {
        const name = hostName(authority);
        if (authority.toLowerCase() === host.toLowerCase() || (name !== null && further.has(name))) return;
      }
      throw new HypeError("origin_not_allowed", `the origin ${quote(origin)} may not call this server`);
    },
  };
}

const quote = (text: string | null): string => (text === null ? "(none)" : JSON.stringify(text.slice(0, 100)));
