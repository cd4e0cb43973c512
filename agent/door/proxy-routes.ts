import { AgentProxy, HypeError } from "../../src/contract/index.ts";
import { withDeadline } from "../browser/deadline.ts";
import type { BrowserProxy } from "../proxy/proxy.ts";
import type { Routes } from "./door.ts";
import { type Handler, json } from "./http.ts";

/** Chromium's restart, under software emulation on a busy host. */
const SET_MS = 120_000;

/** `PUT /v1/proxy`: what the browser goes through from now on. */
export const proxyRoutes = (proxy: BrowserProxy): Routes => ({
  "PUT /v1/proxy": async (call) => {
    const asked = await call.body(AgentProxy);
    const restarted = await withDeadline("set the proxy", SET_MS, call.signal, (signal) =>
      proxy.set(asked.proxy, signal),
    );
    return json({ browser_restarted: restarted });
  },
});

/** Routes that say what the proxy did wrong where Chromium only knows that nothing came (net::ERR_TUNNEL_CONNECTION_FAILED, …). */
export function namingProxy(proxy: BrowserProxy, routes: Routes): Routes {
  const naming =
    (handle: Handler): Handler =>
    async (call) => {
      const begunMs = performance.now();
      try {
        return await handle(call);
      } catch (thrown) {
        const fault = proxy.faultSince(begunMs);
        if (!fault || !(thrown instanceof HypeError) || thrown.code !== "navigation_failed") throw thrown;
        throw new HypeError("navigation_failed", `${thrown.message}: ${fault}`, thrown.details, { cause: thrown });
      }
    };
  return Object.fromEntries(Object.entries(routes).map(([route, handle]) => [route, naming(handle)]));
}
