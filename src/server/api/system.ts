import { Elysia } from "elysia";
import * as v from "valibot";
import { Activity, HypeError, SystemStatus } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { activityWithin, statusWithin } from "../auth/view-queries.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, textReply } from "./schemas.ts";

const Health = v.object({ status: v.picklist(["ok", "shutting_down"]) });

/** How the server itself is. `/healthz` and `/readyz` need no key and say nothing about VMs. */
export function systemRoutes({ engine, status: systemStatus, metrics, closing }: ServerContext, gate: Gate) {
  return new Elysia({ name: "system" })
    .get("/api/v1/system/status", ({ request }) => statusWithin(engine, gate.viewOf(request), systemStatus()), {
      query: NoQuery,
      response: SystemStatus,
      detail: { summary: "Host, hypervisor, network and VMs in numbers", tags: ["system"] },
    })
    .get(
      "/api/v1/system/activity",
      ({ request }) => activityWithin(engine, gate.viewOf(request), gate.mayOperate(request)),
      {
        query: NoQuery,
        response: Activity,
        detail: { summary: "What the running VMs do: processor, memory, page", tags: ["system"] },
      },
    )
    .get("/healthz", () => ({ status: "ok" as const }), {
      response: Health,
      detail: { summary: "The process is alive", tags: ["system"], security: [] },
    })
    .get(
      "/readyz",
      ({ status }) =>
        closing.aborted ? status(503, { status: "shutting_down" as const }) : status(200, { status: "ok" as const }),
      {
        response: { 200: Health, 503: Health },
        detail: { summary: "The server takes requests", tags: ["system"], security: [] },
      },
    )
    .get(
      "/metrics",
      async ({ request }) => {
        if (gate.viewOf(request))
          throw new HypeError("forbidden", "the metrics tell of all VMs; this key is restricted to some");
        return new Response(await metrics.registry.metrics(), {
          headers: { "content-type": metrics.registry.contentType },
        });
      },
      { detail: { summary: "Prometheus metrics", tags: ["system"], ...textReply("text/plain", "Text format 0.0.4") } },
    );
}
