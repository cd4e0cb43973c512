import type { ServerWebSocket } from "bun";

/** The agent's DevTools door as a program on a real socket: echoes, and misbehaves on order. */
export function startFakeAgent() {
  const sockets: { ws: ServerWebSocket<unknown>; path: string; authorization: string | null }[] = [];
  const closes: { code: number; reason: string }[] = [];
  const messages: (string | Buffer)[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    const before = changed;
    changed = Promise.withResolvers();
    before.resolve();
  };
  const server = Bun.serve<{ path: string; authorization: string | null }>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, self) {
      const path = new URL(request.url).pathname;
      if (path.includes("missing")) return new Response("no such target", { status: 404 });
      const data = { path, authorization: request.headers.get("authorization") };
      return self.upgrade(request, { data }) ? undefined : new Response("not a WebSocket", { status: 400 });
    },
    websocket: {
      maxPayloadLength: 512 * 1024 * 1024,
      backpressureLimit: 1024 * 1024 * 1024,
      perMessageDeflate: false,
      open(ws) {
        sockets.push({ ws, ...ws.data });
        if (ws.data.path.includes("greeting")) ws.send("hello first");
        wake();
      },
      message(ws, message) {
        messages.push(message);
        const order = typeof message === "string" && message.startsWith("close ") ? message.split(" ") : null;
        if (order) ws.close(Number(order[1]), order.slice(2).join(" "));
        else if (message === "vanish") ws.terminate();
        else ws.send(message);
        wake();
      },
      close(_ws, code, reason) {
        closes.push({ code, reason });
        wake();
      },
    },
  });
  return {
    sockets,
    closes,
    messages,
    url: (path: string) => `ws://127.0.0.1:${server.port}${path}`,
    async until(isDone: () => boolean): Promise<void> {
      while (!isDone()) await changed.promise;
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
    },
  };
}
export type FakeAgent = ReturnType<typeof startFakeAgent>;
