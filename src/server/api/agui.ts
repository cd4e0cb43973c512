import { Elysia } from "elysia";
import { type AguiCaller, type AguiServices } from "../../agui/services.ts";
import { prepareRun } from "../../agui/agent.ts";
import { capabilities } from "../../agui/capabilities.ts";
import { encodingFor } from "../../agui/encoding.ts";
import { Interrupts } from "../../agui/interrupts.ts";
import { runStream } from "../../agui/run-stream.ts";
import { type AguiRunInput, AguiRunInput as RunInput } from "../../contract/agui.ts";
import type { PageShown } from "../../contract/index.ts";
import type { EngineApi } from "../../engine/types.ts";
import type { TabMemory } from "../../tools/tab-memory.ts";
import { demoPage } from "../agui-demo.ts";
import type { Gate } from "../auth/gate.ts";
import { holds } from "../auth/scopes.ts";
import type { ServerContext } from "../context.ts";
import { houseFor, originOf } from "../house.ts";
import { NoQuery, textReply, VmRef } from "./schemas.ts";

const HEARTBEAT_MS = 15_000;
/** Runs that look within this time share one look, ms. */
const PAGES_MS = 200;
const NO_PAGES: ReadonlyMap<string, PageShown> = new Map();

function sharedPages(engine: EngineApi): () => ReadonlyMap<string, PageShown> {
  let pages = NO_PAGES;
  let lookedAtMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lookedAtMs >= PAGES_MS) {
      lookedAtMs = nowMs;
      pages = new Map(engine.activity().items.flatMap(({ name, page }) => (page ? [[name, page] as const] : [])));
    }
    return pages;
  };
}

/** AG-UI: a run is one POST and the stream of its events. What a run may do, its tools say: a key of scope read finds those that read. */
export function aguiRoutes(context: ServerContext, gate: Gate, tabs: TabMemory) {
  const { engine, config, log, metrics, audit, closing, heartbeatMs = HEARTBEAT_MS } = context;
  const services: AguiServices = {
    interrupts: new Interrupts(),
    tabs,
    log: log.room("agui"),
    llm: config.llm,
  };

  const pages = sharedPages(engine);

  const callerOf = (request: Request, preset: string | null): AguiCaller => {
    const identity = gate.identityOf(request);
    return {
      house: houseFor(context, identity, originOf(request, gate.callerOf(request).isSecure)),
      // What a page shows is for those who may drive it.
      pages: holds(identity.scope, "operate") ? pages : () => NO_PAGES,
      key: { id: identity.id, scope: identity.scope },
      noteChange: ({ tool, vm, error, durationMs }) => {
        const action = { path: `/agui/tools/${tool}`, vm };
        const told = { ...gate.callerOf(request), action, error: error?.code ?? null };
        audit.note(request, new Response(null, { status: error?.status ?? 200 }), told, durationMs);
      },
      preset,
    };
  };

  const run = (request: Request, input: AguiRunInput, preset: string | null): Response => {
    gate.noteAction(request, null); // the audit tells what the run changes, not that it ran
    const encoding = encodingFor(request.headers.get("accept"));
    const work = prepareRun(services, callerOf(request, preset), input, closing);
    metrics.aguiRuns.inc();
    const stream = runStream({
      encoding,
      heartbeatMs,
      signals: [request.signal, gate.endedOf(request), closing],
      work,
      onClose: () => metrics.aguiRuns.dec(),
    });
    return new Response(stream, {
      headers: { "content-type": encoding.contentType, "cache-control": "no-store", "x-accel-buffering": "no" },
    });
  };

  const detail = (summary: string) => ({
    summary,
    tags: ["ag-ui"],
    ...textReply("text/event-stream", "AG-UI 1.0 events, one JSON object per event; protobuf where Accept names it"),
  });

  return new Elysia({ name: "agui", prefix: "/agui" })
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0)) // a watch is quiet for hours
    .post("", ({ request, body }) => run(request, body, null), {
      query: NoQuery,
      body: RunInput,
      detail: detail("A run of the operator over all VMs (AG-UI 1.0)"),
    })
    .post("/vms/:name", ({ request, body, params }) => run(request, body, engine.get(params.name).name), {
      params: VmRef,
      query: NoQuery,
      body: RunInput,
      detail: detail("A run of the operator about one VM (AG-UI 1.0)"),
    })
    .get("/demo", () => demoPage(), {
      query: NoQuery,
      detail: { summary: "A page to try it", tags: ["ag-ui"], security: [], ...textReply("text/html", "The page") },
    })
    .get(
      "/capabilities",
      ({ request }): Record<string, unknown> => capabilities(gate.identityOf(request).scope, services.llm),
      {
        query: NoQuery,
        detail: { summary: "What the operator can do, and its tools (AgentCapabilities)", tags: ["ag-ui"] },
      },
    );
}
