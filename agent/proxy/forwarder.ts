import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { HypeError, messageOf, type Proxy } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { dial } from "./dial.ts";
import { Reader } from "./reader.ts";
import { type Request, requestOf, replyHead } from "./request.ts";
import { MAX_HEAD_BYTES, statusOf, Upstream, type Way } from "./upstream.ts";

/** For a caller to say what it wants, ms: Chromium opens connections ahead of need. */
const IDLE_MS = 300_000;
/** For a destination that needs no proxy to be reached, ms. */
const DIRECT_MS = 30_000;

/**
 * The proxy that Chromium is started with, on the guest's loopback. It passes everything on to the upstream proxy, which can be
 * another one at any time, and knows the password so that Chromium need not. Without an upstream it refuses: nothing goes out unseen.
 */
export class Forwarder {
  readonly #sockets = new Set<Socket>();
  #upstream: Upstream | null = null;
  #fault: { atMs: number; message: string } | null = null;

  private constructor(
    private readonly server: Server,
    private readonly log: Log,
  ) {
    server.on("connection", (client: Socket) => {
      this.#hold(client);
      void this.#serve(client);
    });
  }

  /** On any free port of the loopback. */
  static async open(log: Log): Promise<Forwarder> {
    const server = createServer();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
    await promise;
    return new Forwarder(server, log);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on everything goes this way; null: nowhere. What was open is cut, so that nothing goes on the old way. */
  use(proxy: Proxy | null): void {
    this.#upstream = proxy && new Upstream(proxy);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What the upstream proxy did wrong last, if that was since a moment of `performance.now()`. */
  faultSince(ms: number): string | null {
    return this.#fault && this.#fault.atMs >= ms ? this.#fault.message : null;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => socket.destroy());
  }

  async #serve(client: Socket): Promise<void> {
    const reader = new Reader(client);
    const head = await reader.until("\r\n\r\n", MAX_HEAD_BYTES, AbortSignal.timeout(IDLE_MS)).catch(() => null);
    if (!head) return void client.destroy();
    const request = requestOf(head.toString("latin1"));
    const rest = reader.stop();
    if (!request) return void client.end(replyHead(400, "This is a proxy"));
    try {
      await (request.isTunnel ? this.#tunnel(client, request, rest) : this.#request(client, request, rest));
    } catch (thrown) {
      if (client.destroyed) return;
      this.#fault = { atMs: performance.now(), message: messageOf(thrown) };
      this.log.warn("a request did not get through the proxy", { cause: messageOf(thrown) });
      // Of a tunnel Chromium takes every answer but 200 for a failure; to a request it must get none, or it would show it as a page.
      if (request.isTunnel) client.end(replyHead(502, "Bad Gateway"));
      else client.destroy();
    }
  }

  async #tunnel(client: Socket, request: Request, rest: Buffer): Promise<void> {
    const way = await this.#way(request);
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    this.#join(client, rest, way);
  }

  /** One request of plain HTTP to a connection: the next one may go elsewhere. */
  async #request(client: Socket, request: Request, rest: Buffer): Promise<void> {
    const upstream = this.#mustHaveUpstream();
    const isWhole = upstream.takesRequests && !upstream.bypasses(request.host);
    const { socket } = isWhole ? { socket: await upstream.dial() } : await this.#way(request);
    this.#hold(socket);
    client.on("close", () => socket.destroy());
    if (client.destroyed) return void socket.destroy();
    const reader = new Reader(socket);
    socket.write(isWhole ? request.wholeHead(upstream.authorization) : request.originHead());
    if (rest.length > 0) socket.write(rest);
    client.pipe(socket, { end: false });
    const signal = AbortSignal.timeout(IDLE_MS);
    for (;;) {
      const head = await reader.until("\r\n\r\n", MAX_HEAD_BYTES, signal);
      const { status, phrase } = statusOf(head);
      if (isWhole && status === 407) {
        socket.destroy();
        throw upstream.refusal(status, phrase);
      }
      client.write(request.lastOnConnection(head, status), "latin1");
      if (status >= 200) break;
    }
    this.#pass(socket, reader.stop(), client);
  }

  /** To the destination itself: through the proxy, or past it. */
  async #way({ host, port }: Request): Promise<Way> {
    const upstream = this.#mustHaveUpstream();
    if (!upstream.bypasses(host)) return await upstream.tunnel({ host, port });
    return { socket: await dial(host, port, false, AbortSignal.timeout(DIRECT_MS)), rest: Buffer.alloc(0) };
  }

  #mustHaveUpstream(): Upstream {
    if (this.#upstream) return this.#upstream;
    throw new HypeError("navigation_failed", "the proxy of this VM is not set yet");
  }

  #join(client: Socket, rest: Buffer, { socket, rest: early }: Way): void {
    this.#hold(socket);
    client.on("close", () => socket.destroy());
    if (client.destroyed) return void socket.destroy();
    if (rest.length > 0) socket.write(rest);
    client.pipe(socket);
    this.#pass(socket, early, client);
  }

  #pass(from: Socket, early: Buffer, to: Socket): void {
    if (early.length > 0) to.write(early);
    from.on("close", () => to.end());
    from.pipe(to);
  }
}
