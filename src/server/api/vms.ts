import { Elysia } from "elysia";
import * as v from "valibot";
import { CreateVm, ListVmsQuery, ResizeVm, Vm, VmList } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { listWithin } from "../auth/view-queries.ts";
import type { ServerContext } from "../context.ts";
import { mustHaveProfiles } from "./profiles.ts";
import { flag, NoQuery, trusted, VmRef, WaitQuery } from "./schemas.ts";

const started = { 200: Vm, 202: Vm };
const acting = (summary: string) => ({
  params: VmRef,
  query: WaitQuery,
  response: started,
  detail: { summary, tags: ["vms"] },
});

/** The life of VMs. Who goes away while waiting cancels nothing: what was asked for is carried out, and only DELETE undoes it. */
export function vmRoutes({ engine }: ServerContext, gate: Gate) {
  const isWaiting = (query: { wait?: string | undefined }) => query.wait !== "false";
  return new Elysia({ name: "vms", prefix: "/api/v1/vms" })
    .onBeforeHandle(({ server, request }) => {
      if (request.method !== "GET") server?.timeout(request, 0); // the engine's deadlines bound these, not Bun's idle timeout
    })
    .get("", ({ query, request }) => listWithin(engine, gate.viewOf(request), query), {
      query: ListVmsQuery,
      response: trusted(VmList),
      detail: { summary: "List VMs", tags: ["vms"] },
    })
    .post(
      "",
      async ({ body, query, request, set, status }) => {
        gate.viewOf(request)?.mustCreate(body);
        if (body.profile !== null) mustHaveProfiles(gate, request);
        const wait = isWaiting(query);
        const vm = await engine.create(body, { wait });
        set.headers.location = `/api/v1/vms/${vm.name}`;
        return status(wait ? 201 : 202, vm);
      },
      {
        body: CreateVm,
        query: WaitQuery,
        response: { 201: Vm, 202: Vm },
        detail: { summary: "Create a VM and start its browser", tags: ["vms"] },
      },
    )
    .get("/:name", ({ params }) => engine.get(params.name), {
      params: VmRef,
      query: NoQuery,
      response: Vm,
      detail: { summary: "One VM", tags: ["vms"] },
    })
    .patch("/:name", ({ params, body }) => engine.resize(params.name, body), {
      params: VmRef,
      query: NoQuery,
      body: ResizeVm,
      response: Vm,
      detail: { summary: "Give a stopped VM other cores or memory", tags: ["vms"] },
    })
    .delete(
      "/:name",
      async ({ params, status }) => {
        await engine.delete(params.name);
        return status(204, undefined);
      },
      {
        params: VmRef,
        query: NoQuery,
        response: { 204: v.undefined() },
        detail: { summary: "Delete a VM and everything it holds; cancels whatever runs on it", tags: ["vms"] },
      },
    )
    .post(
      "/:name/start",
      async ({ params, query, status }) => {
        const wait = isWaiting(query);
        return status(wait ? 200 : 202, await engine.start(params.name, { wait }));
      },
      acting("Start a stopped or crashed VM"),
    )
    .post(
      "/:name/stop",
      async ({ params, query, status }) => {
        const wait = isWaiting(query);
        return status(wait ? 200 : 202, await engine.stop(params.name, { wait, force: query.force === "true" }));
      },
      {
        ...acting("Stop a VM; its name, address and settings stay"),
        query: v.strictObject({
          ...WaitQuery.entries,
          force: v.pipe(flag, v.description("true: end it at once, without asking the guest")),
        }),
      },
    )
    .post(
      "/:name/restart",
      async ({ params, query, status }) => {
        const wait = isWaiting(query);
        return status(wait ? 200 : 202, await engine.restart(params.name, { wait }));
      },
      acting("Stop a VM and start it anew"),
    )
    .post("/:name/pause", ({ params }) => engine.pause(params.name), {
      params: VmRef,
      query: NoQuery,
      response: Vm,
      detail: { summary: "Freeze a VM's CPUs; its memory stays", tags: ["vms"] },
    })
    .post("/:name/resume", ({ params }) => engine.resume(params.name), {
      params: VmRef,
      query: NoQuery,
      response: Vm,
      detail: { summary: "Let a paused VM go on", tags: ["vms"] },
    });
}
