import { isIPv4, isIPv6, type Socket } from "node:net";
import { HypeError, type ProxyAddress } from "../../src/contract/index.ts";
import { Reader } from "./reader.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const ADDRESS_BYTES: Record<number, number> = { 1: 4, 4: 16 };

/** Reply codes (RFC 1928, section 6). */
const REPLIES: Record<number, string> = {
  1: "failed",
  2: "does not allow this destination",
  3: "says that the network is unreachable",
  4: "says that the host is unreachable",
  5: "says that the destination refuses the connection",
  6: "says that the connection ran out of time",
};

const no = (words: string): HypeError => new HypeError("navigation_failed", words);

/**
 * Has a SOCKS5 proxy connect to a destination (RFC 1928, RFC 1929). Names go to the proxy as they are: it looks them up.
 * @returns what the destination said already.
 * @throws HypeError `navigation_failed` saying what the proxy does
 */
export async function socks5(
  socket: Socket,
  credentials: ProxyAddress["credentials"],
  destination: { host: string; port: number },
  signal: AbortSignal,
): Promise<Buffer> {
  const reader = new Reader(socket);
  const methods = credentials ? [NO_AUTHENTICATION, USER_AND_PASSWORD] : [NO_AUTHENTICATION];
  socket.write(Buffer.from([VERSION, methods.length, ...methods]));
  const [version, method] = await reader.exactly(2, signal);
  if (version !== VERSION) throw no("is no SOCKS5 proxy");
  if (method === USER_AND_PASSWORD && credentials) {
    socket.write(Buffer.concat([Buffer.from([1]), sized(credentials.user), sized(credentials.password)]));
    const [, status] = await reader.exactly(2, signal);
    if (status !== 0) throw no("refuses the user name and password");
  } else if (method !== NO_AUTHENTICATION)
    throw no(credentials ? "wants another way of authentication" : "wants a user name and password");

  const port = Buffer.alloc(2);
  port.writeUInt16BE(destination.port);
  socket.write(Buffer.concat([Buffer.from([VERSION, 1, 0]), addressOf(destination.host), port]));
  const [, reply, , kind] = await reader.exactly(4, signal);
  if (reply !== 0) throw no(REPLIES[reply!] ?? `refuses (SOCKS5 reply ${reply})`);
  const addressBytes = ADDRESS_BYTES[kind!] ?? (await reader.exactly(1, signal))[0]!;
  await reader.exactly(addressBytes + 2, signal);
  return reader.stop();
}

function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([1, ...host.split(".").map(Number)]);
  if (isIPv6(host)) return Buffer.concat([Buffer.from([4]), ipv6Bytes(host)]);
  return Buffer.concat([Buffer.from([3]), sized(host)]);
}

/** Chromium writes IPv6 addresses without a dotted end (WHATWG URL, section 3.5). */
function ipv6Bytes(host: string): Buffer {
  const [head = "", tail] = host.split("::");
  const groups = (text = "") => text.split(":").filter(Boolean);
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill("0"), ...last];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** One byte of length, then the text. */
function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw no("takes no name of more than 255 bytes");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
