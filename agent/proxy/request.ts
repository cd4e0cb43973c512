/** A request to a proxy: CONNECT, or the whole address of plain HTTP (RFC 9112, section 3.2). */
export type Request = {
  isTunnel: boolean;
  /** An IPv6 address without its brackets. */
  host: string;
  port: number;
  /** The request as another proxy takes it, with header lines of ours; the connection ends after it. */
  wholeHead(lines: string): string;
  /** The request as the destination takes it. */
  originHead(): string;
  /** The head of its answer, which says that this connection takes no other request. */
  lastOnConnection(head: Buffer, status: number): string;
};

/** Header fields that are between two neighbours only (RFC 9110, section 7.6.1), and what is for proxies. */
const HOP_BY_HOP = /^(?:connection|proxy-connection|keep-alive|proxy-authorization|proxy-authenticate|upgrade|te):/i;

/** @returns null when it is none for a proxy. */
export function requestOf(head: string): Request | null {
  const [first = "", ...lines] = head.slice(0, -4).split("\r\n");
  const [method = "", target = "", version = ""] = first.split(" ");
  if (!/^[A-Z]+$/.test(method) || !/^HTTP\/1\.[01]$/.test(version)) return null;
  const isTunnel = method === "CONNECT";
  const url = isTunnel ? URL.parse(`https://${target}`) : URL.parse(target);
  if (!url?.hostname || (isTunnel ? !/^[^/@?#]+:\d{1,5}$/.test(target) : url.protocol !== "http:")) return null;
  const kept = lines.filter((line) => !HOP_BY_HOP.test(line)).map((line) => `${line}\r\n`);
  const headOf = (address: string, ours: string) =>
    `${method} ${address} HTTP/1.1\r\n${kept.join("")}${ours}Connection: close\r\n\r\n`;
  return {
    isTunnel,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (isTunnel ? 443 : 80),
    wholeHead: (ours) => headOf(target, ours),
    originHead: () => headOf(`${url.pathname}${url.search}`, ""),
    lastOnConnection,
  };
}

function lastOnConnection(head: Buffer, status: number): string {
  const text = head.toString("latin1");
  if (status < 200) return text;
  const [first = "", ...lines] = text.slice(0, -4).split("\r\n");
  const kept = lines.filter((line) => !HOP_BY_HOP.test(line));
  return `${[first, ...kept, "Connection: close"].join("\r\n")}\r\n\r\n`;
}

export const replyHead = (status: number, phrase: string): string =>
  `HTTP/1.1 ${status} ${phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
