/**
 * A Chromium that has nothing but DevTools: says where it listens, tells its version, and drops its first connection on the
 * command to evaluate. Stands at the edge of the machine, for faults the real one does not show on order.
 */
let connections = 0;
const server = Bun.serve<{ first: boolean }>({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    connections += 1;
    return server.upgrade(request, { data: { first: connections === 1 } }) ? undefined : new Response("DevTools");
  },
  websocket: {
    message(socket, text) {
      const { id, method, sessionId } = JSON.parse(String(text));
      if (method === "Runtime.evaluate" && socket.data.first) return socket.terminate();
      const result =
        {
          "Browser.getVersion": { product: "Fake/1" },
          "Target.getTargets": { targetInfos: [{ targetId: "T1", type: "page", url: "about:blank", title: "" }] },
          "Target.attachToTarget": { sessionId: "S1" },
          "Runtime.evaluate": { result: { type: "number", value: 42 } },
        }[method as string] ?? {};
      socket.send(JSON.stringify({ id, sessionId, result }));
    },
  },
});
console.error(`\nDevTools listening on ws://127.0.0.1:${server.port}/devtools/browser/fake`);
