import { expect, test } from "bun:test";
import * as v from "valibot";
import { navigate } from "../../agent/browser/navigate.ts";
import { Tabs } from "../../agent/browser/tabs.ts";
import { Connection } from "../../agent/cdp/connection.ts";
import { Navigate } from "../../src/contract/index.ts";

type Told = { method: string; params: object };

/** DevTools of one tab that answers an order to navigate with loader L1 and then tells what a test wants. */
function serveDevTools(afterNavigate: Told[]) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("DevTools")),
    websocket: {
      message(socket, text) {
        const { id, method, sessionId } = JSON.parse(String(text));
        const result =
          {
            "Target.getTargets": { targetInfos: [{ targetId: "F", type: "page", url: "about:blank", title: "" }] },
            "Target.attachToTarget": { sessionId: "S1" },
            "Page.navigate": { frameId: "F", loaderId: "L1" },
            "Page.getNavigationHistory": { currentIndex: 0, entries: [{ url: "http://p/", title: "Home" }] },
          }[method as string] ?? {};
        socket.send(JSON.stringify({ id, sessionId, result }));
        if (method === "Page.navigate")
          for (const event of afterNavigate) socket.send(JSON.stringify({ sessionId, ...event }));
      },
    },
  });
}

const begun = (loaderId: string, frameId = "F"): Told => ({
  method: "Page.frameStartedNavigating",
  params: { frameId, loaderId, url: `http://p/${loaderId}`, navigationType: "differentDocument" },
});
const reached = (loaderId: string, name: string, frameId = "F"): Told => ({
  method: "Page.lifecycleEvent",
  params: { frameId, loaderId, name, timestamp: 1 },
});

// What Chromium told, recorded: a renderer that took the tab over after its commit never reports that commit.
test.each<[string, Told[]]>([
  ["a follow-up whose commit nobody reported", [begun("L1"), begun("L2"), reached("L2", "load")]],
  [
    "a frame that loads meanwhile is not the page",
    [begun("L1"), begun("X", "child"), reached("X", "load", "child"), reached("L1", "load")],
  ],
])("%s", async (_name, events) => {
  using devtools = serveDevTools(events);
  const connection = await Connection.open(new URL(`ws://127.0.0.1:${devtools.port}/devtools/browser/x`));
  try {
    const signal = AbortSignal.timeout(3_000);
    const tab = await new Tabs(connection).use(undefined, signal);
    const request = v.parse(Navigate, { url: "http://p/" });
    expect(await navigate(tab, request, signal, () => {})).toMatchObject({ url: "http://p/", title: "Home" });
  } finally {
    await connection.close();
  }
});
