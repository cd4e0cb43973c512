import type { Socket } from "bun";

/** HTTP as micro_http speaks it on a Unix socket: by hand, since no server of ours has these habits. */

export type HttpRequest = { method: string; path: string; body: string | null };
export type HttpResponse = { status: number; body: string | null };
/** What to do with a finished answer; all but `whole` are moods. */
export type Reply = { response: HttpResponse; how: "whole" | "half" | "drop" };

const MAX_CONNECTIONS = 10;
const LINE_LIMIT_BYTES = 1024;
const METHODS = ["GET", "PUT", "PATCH", "DELETE"];
const FULL_BODY = '{ "error": "Too many open connections" }';
const FULL = `HTTP/1.1 503 \r\nServer: Cloud Hypervisor API\r\nConnection: close\r\nContent-Length: ${FULL_BODY.length}\r\n\r\n${FULL_BODY}`;

type Connection = {
  input: Buffer;
  output: Buffer;
  busy: boolean;
  closed: boolean;
  skipBytes: number;
  refused: boolean;
};

/** A request that is none: answered with 400 and a text that is no JSON, since its newline is raw. */
class Malformed extends Error {}

export class HttpServer {
  #listener: Bun.UnixSocketListener<Connection>;
  #open = new Set<Socket<Connection>>();

  /**
   * @param bodyLimitBytes 51,200 up to v53, 4 MiB after it.
   * @param answer called for one request after the other, over all connections.
   */
  constructor(
    path: string,
    private readonly bodyLimitBytes: number,
    private readonly answer: (request: HttpRequest) => Promise<Reply>,
  ) {
    this.#listener = Bun.listen<Connection>({
      unix: path,
      allowHalfOpen: true,
      socket: {
        open: (socket) => this.#accept(socket),
        data: (socket, bytes) => this.#receive(socket, bytes),
        // A client that closes its writing side is dropped without an answer.
        end: (socket) => void socket.terminate(),
        close: (socket) => this.#forget(socket),
        error: (socket) => this.#forget(socket),
        drain: (socket) => this.#send(socket, Buffer.alloc(0)),
      },
    });
    this.#listener.unref();
  }

  /** Returns when every answer has left, or its client. */
  async flush(): Promise<void> {
    while ([...this.#open].some((socket) => socket.data.output.length > 0)) await Bun.sleep(1);
    this.#listener.ref();
  }

  #accept(socket: Socket<Connection>): void {
    const refused = this.#open.size >= MAX_CONNECTIONS;
    const nothing = Buffer.alloc(0);
    socket.data = { input: nothing, output: nothing, busy: false, closed: false, skipBytes: 0, refused };
    if (refused) return void socket.end(FULL);
    this.#open.add(socket);
  }

  #forget(socket: Socket<Connection>): void {
    if (socket.data) socket.data.closed = true;
    this.#open.delete(socket);
  }

  #receive(socket: Socket<Connection>, bytes: Buffer): void {
    const connection = socket.data;
    if (connection.refused) return;
    const skipped = Math.min(connection.skipBytes, bytes.length);
    connection.skipBytes -= skipped;
    connection.input = Buffer.concat([connection.input, bytes.subarray(skipped)]);
    // The end of a half-closed connection stands right behind the bytes: it is seen before the request is taken up.
    setImmediate(() => void this.#next(socket));
  }

  async #next(socket: Socket<Connection>): Promise<void> {
    const connection = socket.data;
    if (connection.busy || connection.closed) return;
    let request: HttpRequest | null;
    try {
      request = take(connection, this.bodyLimitBytes);
    } catch (thrown) {
      if (!(thrown instanceof Malformed)) throw thrown;
      connection.input = Buffer.alloc(0);
      const text = `{ "error": "${thrown.message}\nAll previous unanswered requests will be dropped." }`;
      return this.#send(socket, serialize({ status: 400, body: text }, "text/plain"));
    }
    if (request === null) return;
    connection.busy = true;
    const { response, how } = await this.answer(request);
    connection.busy = false;
    if (connection.closed) return;
    const bytes = serialize(response, "application/json");
    if (how === "whole") this.#send(socket, bytes);
    else {
      if (how === "half") socket.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
      socket.end();
    }
    setImmediate(() => void this.#next(socket));
  }

  #send(socket: Socket<Connection>, bytes: Buffer): void {
    const connection = socket.data;
    if (connection.closed) return;
    const all = Buffer.concat([connection.output, bytes]);
    connection.output = all.subarray(Math.max(0, all.length === 0 ? 0 : socket.write(all)));
  }
}

/** Takes one whole request from the front of what came, or null when more must come. @throws Malformed */
function take(connection: Connection, limitBytes: number): HttpRequest | null {
  const { input } = connection;
  const headEnd = input.indexOf("\r\n\r\n");
  const head = (headEnd < 0 ? input : input.subarray(0, headEnd)).toString("latin1");
  const [first = "", ...headers] = head.split("\r\n");
  if (first.length > LINE_LIMIT_BYTES) throw new Malformed("Invalid request.");
  if (headers.some((line) => line.length > LINE_LIMIT_BYTES)) throw new Malformed("Invalid header.");
  if (headEnd < 0) return null;
  const [method = "", path = "", version = "", ...rest] = first.split(" ");
  if (!METHODS.includes(method)) throw new Malformed("Invalid HTTP Method: Unsupported HTTP method.");
  if (path === "") throw new Malformed("Invalid URI: Empty URI not allowed.");
  if (!/^HTTP\/1\.[01]$/.test(version) || rest.length > 0)
    throw new Malformed("Invalid HTTP Version: Unsupported HTTP version.");
  const length = contentLength(headers);
  const bodyAt = headEnd + 4;
  if (length > limitBytes) {
    connection.skipBytes = Math.max(0, length - (input.length - bodyAt));
    throw new Malformed(
      `Request payload with size ${length} is larger than the limit of ${limitBytes} allowed by server.`,
    );
  }
  if (input.length < bodyAt + length) return null;
  const body = length > 0 ? input.subarray(bodyAt, bodyAt + length).toString("utf8") : null;
  connection.input = input.subarray(bodyAt + length);
  return { method, path: path.replace(/^http:\/\/[^/]+/, ""), body };
}

/** A transfer coding is not understood: without Content-Length there is no body, and the chunks are the next request. @throws Malformed */
function contentLength(headers: string[]): number {
  for (const line of headers) {
    const at = line.indexOf(":");
    if (at < 0) throw new Malformed("Invalid header.");
    const [name, value] = [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    if (name === "content-length") {
      if (!/^\d+$/.test(value)) throw new Malformed("Invalid header.");
      return Number(value);
    }
  }
  return 0;
}

/** No reason phrase, keep-alive always, no Content-Length with 204. */
function serialize({ status, body }: HttpResponse, contentType: string): Buffer {
  const content = Buffer.from(body ?? "");
  const length = status === 204 ? "" : `Content-Type: ${contentType}\r\nContent-Length: ${content.length}\r\n`;
  const head = `HTTP/1.1 ${status} \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\n${length}\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}
