import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { answers, withId } from "./message.ts";
import { MessageStream, framed } from "./tcp-messages.ts";

/** Where servers listen; tests use another. */
export type AskOptions = { port: number; timeoutMs: number };

/**
 * Asks one server over UDP, from a port and under an id that a forger would have to guess (RFC 5452). Anything that is not the answer to this
 * very question is passed over. @returns null when no answer came in time.
 */
export function askUdp(server: string, query: Buffer, question: Buffer, options: AskOptions): Promise<Buffer | null> {
  const id = randomInt(65_536);
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
  const timer = setTimeout(() => resolve(null), options.timeoutMs);
  socket.on("error", () => resolve(null));
  socket.on("message", (message) => {
    if (answers(message, id, question)) resolve(message);
  });
  // Connected: the kernel takes nothing from other addresses, and tells of a closed port at once.
  socket.connect(options.port, server, () => socket.send(withId(query, id), (fault) => fault && resolve(null)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

/** Asks one server over TCP. @returns null when no answer came in time. */
export function askTcp(server: string, query: Buffer, question: Buffer, options: AskOptions): Promise<Buffer | null> {
  const id = randomInt(65_536);
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const socket = connect({ host: server, port: options.port });
  const messages = new MessageStream(65_535);
  socket.setTimeout(options.timeoutMs, () => resolve(null));
  const timer = setTimeout(() => resolve(null), options.timeoutMs);
  socket.on("error", () => resolve(null));
  socket.on("close", () => resolve(null));
  socket.on("connect", () => socket.write(framed(withId(query, id))));
  socket.on("data", (bytes: Buffer) => {
    for (const message of messages.push(bytes) ?? []) resolve(answers(message, id, question) ? message : null);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
