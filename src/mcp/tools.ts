import {
  acceptedContent,
  inputRequired,
  inputResponse,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Log } from "../log/log.ts";
import { findTool, toolsFor } from "../tools/registry.ts";
import { failure, type Outcome, runTool } from "../tools/run.ts";
import type { CallerTabs } from "../tools/tab-memory.ts";
import type { ToolContext } from "../tools/tool.ts";
import { answer, failed, listedTool } from "./answer.ts";
import { outcomeOf, whyOver } from "./ending.ts";
import { visitOf, type Visit } from "./visit.ts";

export type ToolsOptions = {
  visit: Visit;
  tabs: CallerTabs;
  callerId: string;
  log: Log;
  /** The server's end: calls under way end with it, and say so. */
  closing: AbortSignal;
};

/** The field of the form a person is asked by. */
const CONFIRM = "confirm";

/** `tools/list` and `tools/call`, for one caller. */
export function serveTools(server: Server, { visit, tabs, callerId, log, closing }: ToolsOptions): void {
  const { scope, selection, vm } = visit;
  server.setRequestHandler("tools/list", () => ({
    tools: toolsFor(scope, selection, vm !== null).map((tool) => listedTool(tool, vm !== null)),
  }));

  server.setRequestHandler("tools/call", async (request, ctx) => {
    const { name, arguments: args } = request.params;
    const over = AbortSignal.any([visit.ended, closing]);
    const context: ToolContext = {
      house: visit.house,
      caller: { id: callerId, scope },
      tabs,
      signal: AbortSignal.any([ctx.mcpReq.signal, over]),
      progress: progressTo(ctx),
    };
    const ended = () => failure(name, whyOver({ closing, ended: visit.ended }), log);
    const call = async (given: unknown): Promise<Outcome> => {
      const startedAt = performance.now();
      const outcome = await outcomeOf(runTool(name, given, context, { presetVm: vm, log }), over, ended);
      tellChange(visitOf(ctx) ?? visit, name, given, outcome, performance.now() - startedAt);
      return outcome;
    };
    let outcome = await call(args);
    if (outcome.kind === "ask") {
      const asked = inputResponse(ctx.mcpReq.inputResponses, CONFIRM);
      if (asked.kind === "missing") {
        if (!canAsk(server)) return failed(unasked(outcome.question));
        return inputRequired({ inputRequests: { [CONFIRM]: form(outcome.question) } });
      }
      if (acceptedContent(ctx.mcpReq.inputResponses, CONFIRM)?.[CONFIRM] !== true)
        return failed("The user said no: nothing was done.");
      outcome = await call({ ...args, confirm: true });
    }
    if (outcome.kind === "done") return answer(findTool(name, scope), outcome.result);
    return failed(outcome.kind === "failed" ? outcome.text : unasked(outcome.question));
  });
}

/** Tells of a call that changed something, or was to: not of one that reads, nor of one a person is asked about first. */
function tellChange(visit: Visit, name: string, args: unknown, outcome: Outcome, durationMs: number): void {
  if (outcome.kind === "ask" || findTool(name, "admin")?.effect === "read") return;
  const { vm } = (args ?? {}) as { vm?: unknown };
  visit.noteChange({
    tool: name,
    vm: visit.vm ?? (typeof vm === "string" ? vm : null),
    error: outcome.kind === "failed" ? outcome.code : null,
    durationMs,
  });
}

const form = (question: string) =>
  inputRequired.elicit({
    message: question,
    requestedSchema: {
      type: "object",
      properties: { [CONFIRM]: { type: "boolean", title: "Yes, do it" } },
      required: [CONFIRM],
    },
  });

const unasked = (question: string): string =>
  `Nothing was done. ${question} Ask the user; if they agree, call again with confirm: true.`;

/** Whether the client can put a form before a person. */
function canAsk(server: Server): boolean {
  // oxlint-disable-next-line no-deprecated
  const elicitation = server.getClientCapabilities()?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** Tells only a client that asked to be told; one that went away meanwhile is no fault. */
function progressTo({ mcpReq }: ServerContext): ToolContext["progress"] {
  // oxlint-disable-next-line no-underscore-dangle
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => {};
  return ({ done, total, message }) =>
    void mcpReq
      .notify({
        method: "notifications/progress",
        params: { progressToken, progress: done, message, ...(total !== undefined && { total }) },
      })
      .catch(() => {});
}
