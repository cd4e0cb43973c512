import { Elysia } from "elysia";
import { Proxy, VmProxy, VmProxyChanged } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, VmRef } from "./schemas.ts";

/** What a VM's browser goes through. */
export function proxyRoutes({ engine }: ServerContext) {
  return new Elysia({ name: "proxy", prefix: "/api/v1/vms" })
    .onBeforeHandle(({ server, request }) => {
      if (request.method !== "GET") server?.timeout(request, 0); // Chromium may be restarted; the guest's deadline bounds it
    })
    .get("/:name/proxy", ({ params }) => engine.proxy(params.name), {
      params: VmRef,
      query: NoQuery,
      response: VmProxy,
      detail: { summary: "The proxy of the VM's browser, without its password", tags: ["vms"] },
    })
    .put("/:name/proxy", ({ params, body }) => engine.setProxy(params.name, body), {
      params: VmRef,
      query: NoQuery,
      body: Proxy,
      response: VmProxyChanged,
      detail: { summary: "Give the VM's browser another proxy, at once", tags: ["vms"] },
    })
    .delete("/:name/proxy", ({ params }) => engine.setProxy(params.name, null), {
      params: VmRef,
      query: NoQuery,
      response: VmProxyChanged,
      detail: { summary: "Let the VM's browser reach pages directly again; Chromium is restarted", tags: ["vms"] },
    });
}
