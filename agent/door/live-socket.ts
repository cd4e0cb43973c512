import { WebSocketServer } from "ws";
import { HypeError, LIMITS, type LiveFrame, type LiveMessage } from "../../src/contract/index.ts";
import { LiveSession, type LiveParts } from "../live/live-session.ts";
import { refuse } from "./cdp-tunnel.ts";
import type { Upgrade } from "./door.ts";
import { watchHeartbeat } from "./heartbeat.ts";

export const LIVE_PATH = "/v1/live";
const MAX_WATCHERS = 32;
/** A watcher that takes nothing is cut when this much waits for it, bytes: pictures wait for its word, other messages do not. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** RFC 6455, section 7.4.1, and its registry: the other side is to try again later. */
const TRY_AGAIN_LATER = 1013;

/** `GET /v1/live`, upgraded: the live view as contract/live.ts has it, one watcher a connection. */
export function liveSocket(parts: LiveParts): Upgrade {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 2 * LIMITS.body_bytes });
  let watchers = 0;
  return (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (watchers >= MAX_WATCHERS)
      return refuse(socket, new HypeError("limit_reached", `${MAX_WATCHERS} watchers are connected already`));
    server.handleUpgrade(request, socket, head, (client) => {
      watchers += 1;
      const send = (data: string | Buffer) => {
        if (client.readyState !== client.OPEN) return;
        client.send(data);
        if (client.bufferedAmount <= MAX_WAITING_BYTES) return;
        session.end();
        client.close(TRY_AGAIN_LATER, "the watcher takes nothing");
      };
      const session = new LiveSession(parts, {
        tell: (message: LiveMessage) => send(JSON.stringify(message)),
        show: (frame, jpeg) => send(pictureMessage(frame, jpeg)),
      });
      watchHeartbeat(client);
      client.on("message", (data, isBinary) => {
        session.take(isBinary ? "" : String(data)); // no command is binary: it is answered as one that is no JSON
      });
      client.on("error", () => client.terminate()); // a message beyond the limit, a broken frame
      client.on("close", () => {
        watchers -= 1;
        session.end();
      });
    });
  };
}

function pictureMessage(frame: LiveFrame, jpeg: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(frame));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, jpeg]);
}
