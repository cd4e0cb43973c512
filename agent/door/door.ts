import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HypeError, messageOf } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import type { Token } from "../token.ts";
import { callOf, type Handler, problem, send } from "./http.ts";

export type Door = { port: number; close(): Promise<void> };
export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/** `"GET /v1/health"` -> handler. A path that ends in `/*` covers everything below it. */
export type Routes = Record<string, Handler>;

/**
 * Opens the guest's one port. Without the token nothing behind it answers, not even that a path does not exist.
 * node:http rather than Bun.serve because its upgrade hands over the bare socket: DevTools frames then pass as bytes, with the
 * transport's own backpressure and without a message ever being held whole in the guest's memory.
 */
export async function openDoor(
  listen: { host: string; port: number },
  token: Token,
  routes: Routes,
  upgrade: Upgrade,
  log: Log,
): Promise<Door> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void answer(request, response, token, routes, log);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (token.accepts(request.headers.authorization)) upgrade(request, socket as Socket, head);
    else socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  server.timeout = 0; // long polls and event streams are quiet for long
  server.requestTimeout = 0;
  server.keepAliveTimeout = 600_000; // a pooled connection must not be closed under its caller's next request
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(listen.port, listen.host, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: Token,
  routes: Routes,
  log: Log,
): Promise<void> {
  try {
    if (!token.accepts(request.headers.authorization))
      return send(response, problem("unauthorized", "this door wants the VM's own token"));
    const call = callOf(request, response);
    const reply = await find(routes, call.method, call.url.pathname)(call);
    if (reply) send(response, reply);
  } catch (thrown) {
    if (thrown instanceof HypeError) return send(response, problem(thrown.code, thrown.message));
    log.error("a request failed", { path: request.url?.split("?")[0], cause: thrown });
    send(response, problem("internal", `the agent failed: ${messageOf(thrown)}`));
  }
}

function find(routes: Routes, method: string, path: string): Handler {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const pattern = at === path ? at : `${at}/*`;
    const found = routes[`${method} ${pattern}`];
    if (found) return found;
    const others = Object.keys(routes).some((key) => key.endsWith(` ${pattern}`));
    if (others) throw new HypeError("method_not_allowed", `${method} is not for ${path}`);
    if (at === "") throw new HypeError("not_found", `there is no ${path}`);
  }
}
