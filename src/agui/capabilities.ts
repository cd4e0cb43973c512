import type { AgentCapabilities } from "@ag-ui/core";
import { VERSION } from "../contract/version.ts";
import { toolsFor } from "../tools/registry.ts";
import { type Scope, TOOL_WORDS } from "../contract/index.ts";
import { jsonSchemaOf } from "./command-fields.ts";
import { LLM_LIMITS } from "./llm/limits.ts";
import type { LlmSettings } from "./llm/settings.ts";
import { PROTOCOL_VERSION } from "./run-writer.ts";

/** What a front end may count on (AG-UI 1.0, AgentCapabilities). The tools are those the key may use. */
export function capabilities(scope: Scope, llm: LlmSettings | null): AgentCapabilities {
  const limits = { ...LLM_LIMITS, ...llm?.limits };
  return {
    identity: {
      name: "OVERHYPED operator",
      type: llm ? "overhyped-operator-llm" : "overhyped-operator",
      description: "Creates and drives isolated browsers on this machine.",
      version: VERSION,
      provider: "OVERHYPED",
    },
    transport: { streaming: true, websocket: false, httpBinary: true, pushNotifications: false, resumable: false },
    tools: {
      supported: true,
      parallelCalls: false,
      clientProvided: llm !== null,
      items: toolsFor(scope, ["all"]).map((tool) => ({
        name: tool.name,
        description: tool.description,
        parameters: jsonSchemaOf(tool),
        metadata: { title: tool.title, group: tool.group, effect: tool.effect, asks: tool.question !== undefined },
      })),
    },
    output: { structuredOutput: true, supportedMimeTypes: ["text/markdown", "application/json", "image/png"] },
    state: { snapshots: true, deltas: true, memory: false, persistentState: false },
    reasoning: { supported: llm !== null, streaming: llm !== null, encrypted: false },
    multimodal: {
      input: { image: false, audio: false, video: false, pdf: false, file: false },
      output: { image: true, audio: false },
    },
    execution: {
      codeExecution: true, // in the page only
      sandboxed: true,
      ...(llm && { maxIterations: limits.rounds, maxExecutionTime: limits.totalMs }),
    },
    humanInTheLoop: {
      supported: true,
      approvals: true,
      interventions: true,
      feedback: false,
      interrupts: true,
      approveWithEdits: false,
    },
    custom: { protocolVersion: PROTOCOL_VERSION, model: llm?.model ?? null, toolGroups: TOOL_WORDS },
  };
}
