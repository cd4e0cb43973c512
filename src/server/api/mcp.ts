import { Elysia } from "elysia";
import {
  ERRORS,
  HypeError,
  isErrorCode,
  isToolSelection,
  LIMITS,
  TOOL_SELECTION_RULE,
  type ToolSelection,
} from "../../contract/index.ts";
import { McpDoor } from "../../mcp/door.ts";
import { rpcError } from "../../mcp/rpc-error.ts";
import type { House } from "../../tools/house.ts";
import type { TabMemory } from "../../tools/tab-memory.ts";
import type { Gate } from "../auth/gate.ts";
import { METADATA_PATH, resourceMetadata } from "../auth/resource-metadata.ts";
import { boundedJson } from "../bounded-body.ts";
import type { ServerContext } from "../context.ts";
import { houseFor, originOf } from "../house.ts";
import { textReply, VmRef } from "./schemas.ts";

const VM_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CLIENT = /^[A-Za-z0-9._-]{1,64}$/;
const SUMMARIES = {
  POST: "MCP, Streamable HTTP: one JSON-RPC message",
  GET: "MCP: what the server says of itself in a session (until 2025-11-25)",
  DELETE: "MCP: end a session (until 2025-11-25)",
};
const about = (summary: string) => ({
  summary,
  tags: ["mcp"],
  ...textReply("application/json", "JSON-RPC, or an event stream of it: docs/mcp.md"),
});

/** The body, or that it is none: what MCP then answers is not a problem document. */
type Body = { json: unknown } | { fault: true };

/** @throws HypeError payload_too_large */
async function readBody(request: Request): Promise<Body> {
  try {
    return { json: await boundedJson(request) };
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code === "invalid_request") return { fault: true };
    throw thrown;
  }
}

/**
 * MCP: `/mcp` for all VMs of the caller, `/mcp/vms/:name` for one. What a key may not use is not there for it.
 * `?tools=` names what is listed (default, all, groups); `?client=` tells clients of one key apart.
 */
export function mcpRoutes(context: ServerContext, gate: Gate, tabs: TabMemory) {
  const { closing, config, log, audit } = context;
  const door = new McpDoor({ closing, log, tabs, maxBodyBytes: LIMITS.body_bytes });

  const handle = async (request: Request, body: Body | undefined, vm: string | null): Promise<Response> => {
    const identity = gate.identityOf(request);
    gate.noteAction(request, null); // the audit tells what its calls change, not that it came
    const { searchParams: query } = new URL(request.url);
    const selection = selectionOf(query.get("tools"));
    const client = query.get("client");
    if (client !== null && !CLIENT.test(client)) throw refused("client", "must be 1-64 letters, digits, . _ -");
    const { json, fault } = { json: undefined, fault: false, ...body };
    if (fault) return rpcError(400, -32_700, "Parse error: the body is not valid JSON");
    const house = houseFor(context, identity, originOf(request, gate.callerOf(request).isSecure));
    return await door.handle(request, json, {
      key: identity,
      keyId: identity.id,
      scope: identity.scope,
      house,
      ended: identity.ended,
      client,
      vm: vm === null ? null : presetVm(house, vm, saysItself(request, json)),
      selection,
      noteChange: ({ tool, vm: named, error, durationMs }) => {
        const action = {
          path: `/mcp/tools/${encodeURIComponent(tool.slice(0, 64))}`,
          vm: VM_NAME.test(named ?? "") ? named : null,
        };
        const status = error === null ? 200 : isErrorCode(error) ? ERRORS[error].status : 500;
        audit.note(request, new Response(null, { status }), { ...gate.callerOf(request), action, error }, durationMs);
      },
    });
  };

  const app = new Elysia({ name: "mcp", prefix: "/mcp" })
    .onParse(({ request }) => (request.method === "POST" ? readBody(request) : {}))
    .onTransform(async ({ request }) => await gate.verify(request))
    // Calls last as long as what they do, and streams stay open.
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0));
  for (const method of ["POST", "GET", "DELETE"] as const)
    app
      .route(method, "", ({ request, body }) => handle(request, body as Body | undefined, null), {
        detail: about(SUMMARIES[method]),
      })
      .route(
        method,
        "/vms/:name",
        ({ request, body, params }) => handle(request, body as Body | undefined, params.name),
        { params: VmRef, detail: about(`${SUMMARIES[method]}, for one VM`) },
      );
  return new Elysia({ name: "mcp-and-metadata" })
    .use(app)
    .get(METADATA_PATH, ({ request }) => Response.json(resourceMetadata(request, config)), { detail: { hide: true } });
}

/** Whether what is answered can say itself that the VM is gone: in a session, and to a call of a tool. */
const saysItself = (request: Request, message: unknown): boolean =>
  request.headers.has("mcp-session-id") ||
  (message as { method?: unknown } | null | undefined)?.method === "tools/call";

/** The VM of the endpoint. @throws HypeError vm_not_found unless `mayBeGone` */
function presetVm(house: House, ref: string, mayBeGone: boolean): string {
  try {
    return house.get(ref).name;
  } catch (thrown) {
    if (mayBeGone && thrown instanceof HypeError && thrown.code === "vm_not_found") return ref;
    throw thrown;
  }
}

/** @throws HypeError invalid_request */
function selectionOf(text: string | null): ToolSelection {
  if (text === null) return ["default"];
  const words = text.split(",").map((word) => word.trim());
  if (isToolSelection(words)) return words;
  throw refused("tools", TOOL_SELECTION_RULE);
}

const refused = (path: string, message: string): HypeError =>
  new HypeError("invalid_request", `${path} ${message}`, { issues: [{ path, message }] });
