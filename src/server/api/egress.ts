import { Elysia } from "elysia";
import { Egress, EgressPolicy } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, VmRef } from "./schemas.ts";

/** What a VM's guest may reach, and what it was refused. */
export function egressRoutes({ engine }: ServerContext) {
  return new Elysia({ name: "egress", prefix: "/api/v1/vms" })
    .get("/:name/egress", ({ params }) => engine.egress(params.name), {
      params: VmRef,
      query: NoQuery,
      response: Egress,
      detail: { summary: "Egress policy, traffic and refused destinations", tags: ["vms"] },
    })
    .put("/:name/egress", ({ params, body }) => engine.setEgress(params.name, body), {
      params: VmRef,
      query: NoQuery,
      body: EgressPolicy,
      response: Egress,
      detail: { summary: "Replace the egress policy; in force at once", tags: ["vms"] },
    });
}
