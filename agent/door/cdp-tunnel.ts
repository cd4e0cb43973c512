import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { ERRORS, HypeError, messageOf } from "../../src/contract/index.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";
import type { Upgrade } from "./door.ts";
import { type BehaviourReader, DownloadClaims } from "./download-claims.ts";
import { closeFrame, FrameTracker } from "./frames.ts";

const PATH = /^\/devtools\/(?:browser|page\/[A-Za-z0-9-]{1,64}|browser\/[A-Za-z0-9-]{1,64})$/;
/** What opens a WebSocket (RFC 6455, section 4.1). Not passed on: our token, the caller's Host and Origin, compression. */
const HANDSHAKE = new Set(["upgrade", "connection", "sec-websocket-key", "sec-websocket-version"]);
/** Chromium answers the end of a connection at once, or never. */
const LEAVE_MS = 2_000;
/** Between a dying browser's last socket and its exit. */
const DYING_MS = 500;

/**
 * DevTools sockets: after the handshake, bytes. Text stays text, close codes and reasons pass by themselves, and a side that does
 * not read makes the other side wait (TCP), so that no message is ever held whole here. Only when Chromium goes away without a
 * word is one close frame added, to say why.
 * @param claims is told who came, what they set for downloads, and when Chromium has seen them go
 */
export const cdpTunnel =
  (browser: Browser, claims = new DownloadClaims(() => {})): Upgrade =>
  (request, client, head) => {
    client.on("error", () => client.destroy());
    try {
      const path = request.url?.split("?")[0] ?? "";
      if (!PATH.test(path)) throw new HypeError("not_found", `there is no ${path}`);
      const running = browser.running;
      // The short form is whatever browser runs now: it saves a caller the question for its id.
      const own = path === "/devtools/browser" ? running.chromium.devtools.pathname : path;
      const reader = claims.joined(client);
      open(running, own, request, client, head, reader).on("close", () => claims.left(client));
    } catch (thrown) {
      refuse(client, thrown);
    }
  };

function open(
  { chromium }: Running,
  path: string,
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  reader: BehaviourReader,
): Socket {
  const upstream = connect({ host: chromium.devtools.hostname, port: Number(chromium.devtools.port) });
  const tracker = new FrameTracker();
  client.setNoDelay(true);
  upstream.setNoDelay(true);
  upstream.on("data", (chunk: Buffer) => tracker.push(chunk));
  upstream.once("connect", () => {
    upstream.write(handshake(path, chromium.devtools.host, request.rawHeaders));
    if (head.length > 0) upstream.write(head);
    reader.push(head);
    client.on("data", (chunk: Buffer) => reader.push(chunk));
    client.pipe(upstream);
    upstream.pipe(client, { end: false });
  });
  client.on("close", () => leave(upstream));
  upstream.on("error", (error) => {
    if (upstream.connecting || upstream.bytesRead === 0)
      refuse(client, new HypeError("browser_unavailable", messageOf(error)));
  });
  upstream.on("close", async () => {
    if (tracker.mayInsert) client.write(closeFrame(...(await whyGone(chromium, path))));
    client.end();
  });
  return upstream;
}

/** Not cut off but ended: when Chromium closes its side too, it has taken back what this client had set. */
function leave(upstream: Socket): void {
  upstream.resume();
  upstream.end();
  const timer = setTimeout(() => upstream.destroy(), LEAVE_MS);
  upstream.on("close", () => clearTimeout(timer));
}

async function whyGone(chromium: Running["chromium"], path: string): Promise<[code: number, reason: string]> {
  const reason = await Promise.race([chromium.exited, Bun.sleep(DYING_MS).then(() => null)]);
  if (reason !== null) return [1012, `Chromium died (${reason}) and is started again`];
  return path.startsWith("/devtools/page/") ? [1001, "the tab was closed"] : [1011, "Chromium closed the connection"];
}

function handshake(path: string, host: string, rawHeaders: string[]): string {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    if (HANDSHAKE.has(rawHeaders[i]!.toLowerCase())) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Answers an upgrade that is not to be. */
export function refuse(client: Socket, thrown: unknown): void {
  const code = thrown instanceof HypeError ? thrown.code : "internal";
  const body = JSON.stringify({ code, message: messageOf(thrown) });
  client.end(
    `HTTP/1.1 ${ERRORS[code].status} ${ERRORS[code].title}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
