import { Elysia } from "elysia";
import { HypeError, MAX_SHELLS, SHELL_MESSAGE_BYTES, SHELL_WINDOW_BYTES } from "../../contract/index.ts";
import { shellSocket } from "../../guest/shell.ts";
import type { Gate } from "../auth/gate.ts";
import { relay } from "../cdp/relay.ts";
import { openUpstream } from "../cdp/upstream.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, VmRef } from "./schemas.ts";

/** What may wait for either side, bytes: each keeps to its window, and who does not is cut. */
const BUFFER_BYTES = 8 * (SHELL_WINDOW_BYTES + SHELL_MESSAGE_BYTES);

/** Shells in VMs: frames go across as they are, as those of DevTools do. */
export function shellRoutes({ engine, metrics, closing }: ServerContext, gate: Gate) {
  /** Open ones by the id of their VM. */
  const open = new Map<string, number>();
  const count = (vmId: string, by: 1 | -1) => {
    const now = (open.get(vmId) ?? 0) + by;
    if (now > 0) open.set(vmId, now);
    else open.delete(vmId);
    metrics.shells.inc(by);
  };

  const connect = async (request: Request, server: Bun.Server<unknown> | null, name: string) => {
    const { url, headers } = shellSocket(engine.guest(name)); // refused before all else: a caller whose handshake failed asks again why
    const { id } = engine.get(name);
    if ((open.get(id) ?? 0) >= MAX_SHELLS)
      throw new HypeError("limit_reached", `${MAX_SHELLS} shells are open in ${name} already`);
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket" || !server)
      throw new HypeError("invalid_request", "this route is a WebSocket: connect with Upgrade: websocket");
    const gone = engine.whenGone(name).signal;
    const ended = gate.endedOf(request);
    count(id, 1);
    const upstream = await openUpstream(url, headers, request.signal, "a shell").catch((thrown: unknown) => {
      count(id, -1);
      throw thrown;
    });
    const onEnd = () => count(id, -1);
    const handlers = relay({ upstream, gone, closing, ended, onEnd, bufferBytes: BUFFER_BYTES, peer: "shell" });
    if (server.upgrade(request, { data: handlers })) return new Response(null, { status: 101 }); // for the log: Bun has answered
    handlers.close({} as never, 1006, "");
    throw new HypeError("invalid_request", "the WebSocket handshake is not valid");
  };

  return new Elysia({ name: "shell", prefix: "/api/v1/vms/:name" }).get(
    "/shell",
    ({ params, request, server }) => connect(request, server, params.name),
    {
      params: VmRef,
      query: NoQuery,
      detail: { summary: "A shell in the guest, as its root, on a terminal or on pipes (WebSocket)", tags: ["vms"] },
    },
  );
}
