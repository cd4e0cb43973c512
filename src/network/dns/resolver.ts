import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import ipaddr from "ipaddr.js";
import { HypeError, messageOf } from "../../contract/index.ts";
import { askTcp, askUdp } from "./ask.ts";
import { emptyAnswer, parseQuestion, type Question, SERVFAIL, withId } from "./message.ts";
import type { NameServers } from "./servers.ts";
import { framed, MessageStream } from "./tcp-messages.ts";

/** Bounds of what guests can make us do at once; what is over them is not answered, and asked again by the guest. */
const [QUESTIONS, QUESTIONS_PER_GUEST, CONNECTIONS, CONNECTIONS_PER_GUEST] = [1024, 64, 256, 16];
const QUERY_BYTES = 1_500;
const IDLE_MS = 10_000;
const LARGEST_UDP_BYTES = 1_232; // passes every link unfragmented (RFC 9715)

export type ResolverOptions = {
  address: string;
  port: number;
  /** Network whose questions are answered. */
  subnet: string;
  servers: Pick<NameServers, "list">;
  /** For tests: where servers listen, and how long one of them may take. */
  serverPort?: number;
  timeoutMs?: number;
};

/** The guests' name server: asks the host's servers on their behalf, over UDP and TCP, and remembers nothing. */
export class Resolver implements AsyncDisposable {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  readonly #asking = new Map<string, number>();
  readonly #subnet: [ipaddr.IPv4, number];
  readonly #ask: { port: number; timeoutMs: number };
  #total = 0;

  private constructor(private readonly options: ResolverOptions) {
    this.#subnet = ipaddr.IPv4.parseCIDR(options.subnet);
    this.#ask = { port: options.serverPort ?? 53, timeoutMs: options.timeoutMs ?? 2_000 };
    this.#udp = createSocket("udp4");
    this.#tcp = createServer((socket) => this.#accept(socket));
  }

  /** @throws HypeError network_unavailable when the address or its port cannot be had. */
  static async open(options: ResolverOptions): Promise<Resolver> {
    const resolver = new Resolver(options);
    try {
      await resolver.#listen();
      return resolver;
    } catch (thrown) {
      await resolver[Symbol.asyncDispose]();
      const where = `${options.address}:${options.port}`;
      throw new HypeError(
        "network_unavailable",
        `the resolver for guests cannot listen at ${where}: ${messageOf(thrown)}`,
      );
    }
  }

  /** Where it listens; differs from what was asked for where that was 0. */
  get port(): number {
    return this.#udp.address().port;
  }

  async #listen(): Promise<void> {
    const { address, port } = this.options;
    this.#udp.bind(port, address);
    await once(this.#udp, "listening");
    this.#udp.on("error", () => {});
    this.#udp.on("message", (message, from) => void this.#answerUdp(message, from));
    this.#tcp.listen(this.port, address);
    await once(this.#tcp, "listening");
    this.#tcp.on("error", () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    if (this.#tcp.listening) await new Promise<void>((done) => this.#tcp.close(() => done()));
    try {
      this.#udp.close();
    } catch {
      // closed already, or never bound
    }
  }

  async #answerUdp(query: Buffer, from: { address: string; port: number }): Promise<void> {
    const asked = this.#question(query, from.address);
    if (!asked) return;
    const reply = (await this.#resolve(query, asked, from.address, false)) ?? null;
    if (!reply) return;
    const fits = reply.length <= Math.min(asked.udpBytes, LARGEST_UDP_BYTES);
    try {
      this.#udp.send(fits ? reply : emptyAnswer(asked, { truncated: true }), from.port, from.address, () => {});
    } catch {
      // closed in the meantime
    }
  }

  #accept(socket: Socket): void {
    const guest = socket.remoteAddress ?? "";
    const ofGuest = [...this.#connections].filter(({ remoteAddress }) => remoteAddress === guest).length;
    if (!this.#serves(guest) || ofGuest >= CONNECTIONS_PER_GUEST || this.#connections.size >= CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    const messages = new MessageStream(QUERY_BYTES);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("data", (bytes: Buffer) => {
      const queries = messages.push(bytes);
      if (!queries) socket.destroy();
      for (const query of queries ?? []) void this.#answerTcp(query, socket, guest);
    });
  }

  async #answerTcp(query: Buffer, socket: Socket, guest: string): Promise<void> {
    const asked = this.#question(query, guest);
    const reply = asked && (await this.#resolve(query, asked, guest, true));
    if (!reply) socket.destroy();
    // A guest that asks and does not read is let go of before its answers fill our memory.
    else if (!socket.destroyed && !socket.write(framed(reply)) && socket.writableLength > 4 * 65_535) socket.destroy();
  }

  #serves(guest: string): boolean {
    const address = guest.replace(/^::ffff:/, "");
    return ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(this.#subnet);
  }

  #question(query: Buffer, guest: string): Question | null {
    return query.length <= QUERY_BYTES && this.#serves(guest) ? parseQuestion(query) : null;
  }

  /** @returns null when too much is asked at once; SERVFAIL when no server answers. */
  async #resolve(query: Buffer, asked: Question, guest: string, overTcp: boolean): Promise<Buffer | null> {
    const ofGuest = this.#asking.get(guest) ?? 0;
    if (this.#total >= QUESTIONS || ofGuest >= QUESTIONS_PER_GUEST) return null;
    this.#total++;
    this.#asking.set(guest, ofGuest + 1);
    try {
      for (const server of this.options.servers.list()) {
        const reply = await this.#askServer(server, query, asked.question, overTcp);
        if (reply) return withId(reply, asked.id);
      }
      return emptyAnswer(asked, { code: SERVFAIL });
    } finally {
      this.#total--;
      const left = (this.#asking.get(guest) ?? 1) - 1;
      if (left === 0) this.#asking.delete(guest);
      else this.#asking.set(guest, left);
    }
  }

  async #askServer(server: string, query: Buffer, question: Buffer, overTcp: boolean): Promise<Buffer | null> {
    if (overTcp) return await askTcp(server, query, question, this.#ask);
    return await askUdp(server, query, question, this.#ask);
  }
}
