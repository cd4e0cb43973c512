import * as v from "valibot";

/** Schemes of an upstream proxy and their ports where none is given (RFC 9110 section 4.2, RFC 1928). */
const PORTS: Record<string, number> = { "http:": 80, "https:": 443, "socks5:": 1080, "socks5h:": 1080 };

/** Longest user name and longest password of SOCKS5, bytes (RFC 1929). */
const CREDENTIAL_BYTES = 255;

/** On the kernel's command line: this guest's browser has a proxy, and opens nothing before it is told which. */
export const EXPECT_PROXY_WORD = "hype.proxy";

/** What stands for a password wherever a proxy is shown. */
const MASK = "***";

/** An upstream proxy, taken apart. */
export type ProxyAddress = {
  scheme: "http" | "https" | "socks5";
  /** Name or address; an IPv6 address without its brackets. */
  host: string;
  port: number;
  credentials: { user: string; password: string } | null;
};

/** @returns null when the text is no proxy's address. */
export function parseProxyUrl(text: string): ProxyAddress | null {
  const url = /^[\x21-\x7e]+$/.test(text) ? URL.parse(text) : null;
  const port = url && PORTS[url.protocol];
  if (!url || !port || !url.hostname || (url.pathname !== "" && url.pathname !== "/") || url.search || url.hash)
    return null;
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (user === null || password === null || url.port === "0") return null;
  if (user.includes(":") && url.protocol.startsWith("http")) return null; // it would end the user name there (RFC 7617)
  return {
    scheme: url.protocol === "socks5h:" ? "socks5" : (url.protocol.slice(0, -1) as ProxyAddress["scheme"]),
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || port,
    credentials: url.username || url.password ? { user, password } : null,
  };
}

/** A percent-decoded half of the credentials; null when it cannot be sent to a proxy: too long, or with control characters. */
function decoded(text: string): string | null {
  try {
    const plain = decodeURIComponent(text);
    return new TextEncoder().encode(plain).length > CREDENTIAL_BYTES || /\p{Cc}/u.test(plain) ? null : plain;
  } catch {
    return null;
  }
}

/** The address as it may be shown: without the password. */
export function maskedProxyUrl(text: string): string {
  const address = parseProxyUrl(text);
  if (!address) return MASK;
  const { scheme, host, port, credentials } = address;
  const user = credentials ? `${encodeURIComponent(credentials.user)}:${MASK}@` : "";
  return `${scheme}://${user}${host.includes(":") ? `[${host}]` : host}:${port}`;
}

// No message repeats what was given: a password may stand in it.
const ProxyUrl = v.pipe(
  v.string("must be text"),
  v.maxLength(2048, "must be at most 2048 characters"),
  v.check(
    (text) => parseProxyUrl(text) !== null,
    "must be http://, https:// or socks5://[user:password@]host:port, without a path, special characters percent-encoded",
  ),
);

/** A host name, `*.` and a domain (the domain itself is meant too), or an IP address. */
const BYPASS = /^(\*\.)?[a-z0-9_]([a-z0-9._-]*[a-z0-9])?$|^[0-9a-f:.]*:[0-9a-f:.]*$/i;

const Bypass = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.maxLength(253),
      v.regex(BYPASS, "must be a host name, *.domain or an IP address, without a port"),
    ),
  ),
  v.maxLength(256, "must hold at most 256 hosts"),
  v.description("Hosts that are reached without the proxy: names, *.domain, addresses"),
);

/** The upstream proxy of a VM's browser, as it is set. */
export const Proxy = v.strictObject({
  url: v.pipe(
    ProxyUrl,
    v.description("http://, https:// or socks5://[user:password@]host:port; never shown whole again"),
  ),
  bypass: v.optional(Bypass, []),
});
export type Proxy = v.InferOutput<typeof Proxy>;
export type ProxyInput = v.InferInput<typeof Proxy>;

/** `GET /api/v1/vms/:name/proxy`, and the reply to its changes. */
export const VmProxy = v.object({
  proxy: v.pipe(
    v.nullable(
      v.object({ url: v.pipe(v.string(), v.description("The password is masked")), bypass: v.array(v.string()) }),
    ),
    v.description("null: pages are reached directly"),
  ),
  in_force: v.pipe(v.boolean(), v.description("false: from the next start on")),
});
export type VmProxy = v.InferOutput<typeof VmProxy>;

export const VmProxyChanged = v.object({
  ...VmProxy.entries,
  browser_restarted: v.pipe(
    v.boolean(),
    v.description(
      "Chromium began anew: its tabs are gone. So it is from no proxy to one and back, not from one to another",
    ),
  ),
});
export type VmProxyChanged = v.InferOutput<typeof VmProxyChanged>;

/** Body of `PUT /v1/proxy` at the agent: what the browser goes through from now on. */
export const AgentProxy = v.strictObject({ proxy: v.nullable(Proxy) });
export type AgentProxy = v.InferOutput<typeof AgentProxy>;

export const AgentProxySet = v.object({ browser_restarted: v.boolean() });
export type AgentProxySet = v.InferOutput<typeof AgentProxySet>;

/** The proxy as everybody may see it. */
export const shownProxy = (proxy: Proxy | null): VmProxy["proxy"] =>
  proxy && { url: maskedProxyUrl(proxy.url), bypass: proxy.bypass };
