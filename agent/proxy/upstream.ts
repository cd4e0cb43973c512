import type { Socket } from "node:net";
import { HypeError, maskedProxyUrl, parseProxyUrl, type Proxy, type ProxyAddress } from "../../src/contract/index.ts";
import { dial } from "./dial.ts";
import { Reader } from "./reader.ts";
import { socks5 } from "./socks5.ts";

/** From the first byte to the proxy until the destination can be talked to, ms. */
const CONNECT_MS = 15_000;
export const MAX_HEAD_BYTES = 64 * 1024;

/** A way to somewhere, and what came over it already. */
export type Way = { socket: Socket; rest: Buffer };
export type Destination = { host: string; port: number };

/** The proxy between this guest and the net. All errors are HypeErrors `navigation_failed` that name it, without its password. */
export class Upstream {
  readonly #address: ProxyAddress;
  readonly name: string;
  readonly #bypass: string[];

  constructor({ url, bypass }: Proxy) {
    const address = parseProxyUrl(url);
    if (!address) throw new HypeError("invalid_request", "the proxy's url is not valid");
    this.#address = address;
    this.name = maskedProxyUrl(url);
    this.#bypass = bypass.map((host) => host.toLowerCase());
  }

  /** Whether a host is to be reached without the proxy. */
  bypasses(host: string): boolean {
    const name = host.toLowerCase();
    return this.#bypass.some((rule) =>
      rule.startsWith("*.") ? name === rule.slice(2) || name.endsWith(rule.slice(1)) : name === rule,
    );
  }

  /** True when plain HTTP goes to it as whole requests instead of through a tunnel: many allow tunnels to port 443 only. */
  get takesRequests(): boolean {
    return this.#address.scheme !== "socks5";
  }

  /** Header lines that say who we are; empty where no credentials were given (RFC 7617). */
  get authorization(): string {
    const { credentials } = this.#address;
    if (!credentials) return "";
    const text = Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
    return `Proxy-Authorization: Basic ${text}\r\n`;
  }

  /** A connection to the proxy itself. */
  dial(): Promise<Socket> {
    const { host, port, scheme } = this.#address;
    return this.#named((signal) => dial(host, port, scheme === "https", signal));
  }

  /** A connection to a destination, through the proxy. */
  async tunnel(destination: Destination): Promise<Way> {
    const socket = await this.dial();
    try {
      const rest = await this.#named((signal) =>
        this.#address.scheme === "socks5"
          ? socks5(socket, this.#address.credentials, destination, signal)
          : this.#connect(socket, destination, signal),
      );
      return { socket, rest };
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  }

  /** What to throw for an answer of the proxy that is no success. */
  refusal(status: number, phrase: string): HypeError {
    const words =
      status !== 407
        ? `answers ${status} ${phrase}`.trim()
        : this.#address.credentials
          ? "refuses the user name and password (407)"
          : "wants a user name and password (407)";
    return new HypeError("navigation_failed", `the proxy ${this.name} ${words}`);
  }

  async #connect(socket: Socket, { host, port }: Destination, signal: AbortSignal): Promise<Buffer> {
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const reader = new Reader(socket);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${this.authorization}\r\n`);
    const { status, phrase } = statusOf(await reader.until("\r\n\r\n", MAX_HEAD_BYTES, signal));
    if (status < 200 || status > 299) throw this.refusal(status, phrase);
    return reader.stop();
  }

  async #named<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(CONNECT_MS);
    try {
      return await work(signal);
    } catch (thrown) {
      if (thrown instanceof HypeError && thrown.message.startsWith("the proxy ")) throw thrown;
      const words = signal.aborted ? `does not answer within ${CONNECT_MS / 1000} s` : (thrown as Error).message;
      throw new HypeError("navigation_failed", `the proxy ${this.name} ${words}`, {}, { cause: thrown });
    }
  }
}

/** Status line of an HTTP answer (RFC 9112, section 4). @throws HypeError `navigation_failed` */
export function statusOf(head: Buffer): { status: number; phrase: string } {
  const match = /^HTTP\/1\.[01] (\d{3})(?: ([\x20-\x7e]{0,100}))?/.exec(head.toString("latin1"));
  if (!match) throw new HypeError("navigation_failed", "is no HTTP proxy");
  return { status: Number(match[1]), phrase: match[2] ?? "" };
}
