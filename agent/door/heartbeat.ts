import type { WebSocket } from "ws";

const BEAT_MS = 15_000;

/** Cuts off a peer that neither says anything nor answers a ping from one beat to the next. */
export function watchHeartbeat(client: WebSocket): void {
  let isAlive = true;
  const hear = () => (isAlive = true);
  const timer = setInterval(() => {
    if (!isAlive) return client.terminate();
    isAlive = false;
    client.ping();
  }, BEAT_MS);
  client.on("pong", hear);
  client.on("message", hear);
  client.on("close", () => clearInterval(timer));
}
