import type { Protocol } from "devtools-protocol";
import type { Connection } from "../cdp/connection.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

/** Kept of one message, characters of text or base64. */
const MAX_PAYLOAD = 65_536;
const MAX_SOCKETS = 5_000;
/** RFC 6455, section 5.2. */
const TEXT = 1;

type SocketEvent = "open" | "sent" | "received" | "error" | "close";

export function listenToWebSockets(
  connection: Connection,
  journal: Journal,
  find: (sessionId: string | undefined) => OverlayTarget | undefined,
  isObserved: (target: OverlayTarget) => boolean,
): void {
  const sockets = new Map<string, { id: string; url: string }>();
  const record = (
    sessionId: string | undefined,
    requestId: string,
    event: SocketEvent,
    payload: { text?: string; base64?: string; bytes?: number } = {},
  ) => {
    const target = find(sessionId);
    if (!target || !isObserved(target)) return;
    const key = `${sessionId} ${requestId}`;
    const { id, url } = sockets.get(key) ?? { id: "unknown", url: "" };
    if (event === "close") sockets.delete(key);
    const { text = null, base64 = null, bytes = 0 } = payload;
    const length = (text ?? base64 ?? "").length;
    journal.record({
      id: journal.id("w"),
      tab: target.tab,
      time: Date.now(),
      kind: "websocket",
      socket: id,
      url,
      event,
      text: text === null ? null : clipped(text, MAX_PAYLOAD),
      base64: base64 === null ? null : clipped(base64, MAX_PAYLOAD),
      bytes,
      truncated: length > MAX_PAYLOAD,
    });
  };
  const payloadOf = ({ opcode, payloadData }: Protocol.Network.WebSocketFrame) =>
    opcode === TEXT
      ? { text: payloadData, bytes: Buffer.byteLength(payloadData) }
      : { base64: payloadData, bytes: Buffer.byteLength(payloadData, "base64") };
  connection.on("Network.webSocketCreated", ({ requestId, url }, sessionId) => {
    if (sockets.size >= MAX_SOCKETS) sockets.delete(sockets.keys().next().value!);
    sockets.set(`${sessionId} ${requestId}`, { id: journal.id("s"), url: clipped(url, 2_048) });
    record(sessionId, requestId, "open");
  });
  connection.on("Network.webSocketFrameSent", ({ requestId, response }, sessionId) =>
    record(sessionId, requestId, "sent", payloadOf(response)),
  );
  connection.on("Network.webSocketFrameReceived", ({ requestId, response }, sessionId) =>
    record(sessionId, requestId, "received", payloadOf(response)),
  );
  connection.on("Network.webSocketFrameError", ({ requestId, errorMessage }, sessionId) =>
    record(sessionId, requestId, "error", { text: errorMessage }),
  );
  connection.on("Network.webSocketClosed", ({ requestId }, sessionId) => record(sessionId, requestId, "close"));
}
