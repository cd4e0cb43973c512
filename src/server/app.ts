import { Elysia } from "elysia";
import { HypeError, LIMITS } from "../contract/index.ts";
import { allowedMethods } from "./allowed-methods.ts";
import { aguiRoutes } from "./api/agui.ts";
import { artifactRoutes } from "./api/artifacts.ts";
import { auditRoutes } from "./api/audit.ts";
import { browserOperationRoutes } from "./api/browser-operations.ts";
import { browserRecordingRoutes } from "./api/browser-recordings.ts";
import { browserStreamRoutes } from "./api/browser-streams.ts";
import { browserUploadRoutes } from "./api/browser-uploads.ts";
import { browserRoutes } from "./api/browser.ts";
import { cdpRoutes } from "./api/cdp.ts";
import { egressRoutes } from "./api/egress.ts";
import { eventRoutes } from "./api/events.ts";
import { imageRoutes } from "./api/images.ts";
import { keyRoutes } from "./api/keys.ts";
import { liveFileRoutes } from "./api/live-files.ts";
import { liveRoutes } from "./api/live.ts";
import { logRoutes } from "./api/logs.ts";
import { mcpRoutes } from "./api/mcp.ts";
import { proxyRoutes } from "./api/proxy.ts";
import { profileRoutes } from "./api/profiles.ts";
import { shellRoutes } from "./api/shell.ts";
import { systemRoutes } from "./api/system.ts";
import { vmRoutes } from "./api/vms.ts";
import { createGate, type Gate, pathOf } from "./auth/gate.ts";
import { boundedJson } from "./bounded-body.ts";
import { challenge, isMcpPath } from "./auth/resource-metadata.ts";
import { BUFFER_BYTES } from "./cdp/relay.ts";
import type { ServerContext } from "./context.ts";
import { TabMemory } from "../tools/tab-memory.ts";
import { openApiDocument } from "./openapi.ts";
import { asHypeError, problemResponse } from "./problem.ts";

/**
 * The HTTP API. A request passes the gate (who calls), the route (schemas), the engine; whatever is thrown on the way becomes a problem
 * document in one place. `listen` it, or `handle` requests in process.
 */
export function createApp(context: ServerContext) {
  const gate = createGate(context);
  const tabs = new TabMemory(); // of all who use tools, whatever they speak
  const app = new Elysia({
    name: "hype",
    serve: {
      maxRequestBodySize: Number.MAX_SAFE_INTEGER, // uploads; every other body is judged by the gate, or while it is read
      reusePort: false, // a second server on our port must fail, not share it
      development: false,
    },
    websocket: {
      maxPayloadLength: LIMITS.cdp_message_bytes,
      perMessageDeflate: false,
      // The relay keeps its own, lower account; Bun drops messages over this one.
      backpressureLimit: 2 * BUFFER_BYTES,
      idleTimeout: 960, // Bun sends pings: only a peer that is gone is cut. The longest it can wait
    },
  })
    .wrap(timed(context, gate) as never)
    .onRequest(({ request, server }) => gate.enter(request, () => server?.requestIP(request)?.address ?? null))
    .onError(({ code, error, request }) => {
      const path = pathOf(request);
      let fault = asHypeError(code, error);
      if (fault.code === "not_found") {
        const allow = methodsOf(path);
        if (allow.length > 0)
          fault = new HypeError("method_not_allowed", `${request.method} is not possible here`, {
            allow: allow.join(", "),
          });
      }
      gate.noteError(request, fault.code);
      const problem = problemResponse(fault, path, context.log);
      return (fault.status === 401 || fault.code === "forbidden") && isMcpPath(path)
        ? challenge(problem, request)
        : problem;
    })
    .onParse(({ request, contentType }) =>
      contentType === "application/json" && !request.headers.has("content-length") && !readsItself(request)
        ? boundedJson(request)
        : undefined,
    )
    .onBeforeHandle(({ params, request }) => {
      const name = (params as { name?: string } | undefined)?.name;
      // A call of a tool says itself what is not there.
      if (name !== undefined && !isMcpPath(pathOf(request))) gate.checkVm(request, name);
    })
    .use(vmRoutes(context, gate))
    .use(egressRoutes(context))
    .use(proxyRoutes(context))
    .use(browserRoutes(context))
    .use(browserStreamRoutes(context, gate))
    .use(browserRecordingRoutes(context, gate))
    .use(browserUploadRoutes(context, gate))
    .use(browserOperationRoutes(context) as never as Elysia) // typed by its own table
    .use(artifactRoutes(context, gate))
    .use(cdpRoutes(context, gate))
    .use(aguiRoutes(context, gate, tabs))
    .use(liveRoutes(context, gate))
    .use(liveFileRoutes(context, gate))
    .use(logRoutes(context, gate))
    .use(shellRoutes(context, gate))
    .use(eventRoutes(context, gate))
    .use(imageRoutes(context))
    .use(systemRoutes(context, gate))
    .use(keyRoutes(context))
    .use(profileRoutes(context, gate))
    .use(auditRoutes(context))
    .use(mcpRoutes(context, gate, tabs))
    .get("/openapi.json", (): Record<string, unknown> => describe(), { detail: { hide: true } });
  const methodsOf = allowedMethods(app.routes);
  let document: Record<string, unknown> | undefined;
  const describe = () => (document ??= openApiDocument(app));
  return app;
}

export type App = ReturnType<typeof createApp>;

/** MCP answers a body that is no JSON in its own protocol's words. */
const readsItself = (request: Request): boolean => isMcpPath(pathOf(request));

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * One log line, one measurement and, where it changed something or was refused, one audit entry per request, whatever became of it. The query is left out: a token may stand in it.
 * Replies that are there at once stay so, and lines nobody wants are not made: both are felt on the list route.
 */
function timed({ config, log, metrics, audit }: ServerContext, gate: Gate) {
  const wantsAll = config.logLevel === "debug";
  const finish = (request: Request, response: Response, startedAt: number): Response => {
    const { method } = request;
    const { status } = response;
    const durationMs = performance.now() - startedAt;
    gate.leave(request);
    metrics.observeRequest(method, status, durationMs / 1000);
    const isQuiet = method === "GET" && status < 400;
    const caller = gate.callerOf(request);
    if (!isQuiet || caller.address !== null) audit.note(request, response, caller, durationMs);
    if (isQuiet && !wantsAll) return response;
    log[status >= 500 ? "warn" : isQuiet ? "debug" : "info"]("request", {
      method,
      path: pathOf(request).slice(0, 200),
      status,
      ms: Math.round(durationMs * 10) / 10,
      by: caller.identity?.id ?? "none",
    });
    return response;
  };
  return (handle: Handler) =>
    (request: Request): Response | Promise<Response> => {
      const startedAt = performance.now();
      const response = handle(request);
      return response instanceof Promise
        ? response.then((settled) => finish(request, settled, startedAt))
        : finish(request, response, startedAt);
    };
}
