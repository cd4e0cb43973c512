import type { RunLimits } from "../../src/agui/llm/limits.ts";
import type { ToolSelection } from "../../src/contract/index.ts";
import { startTestServer } from "../server/harness.ts";
import { scriptedModel, type Turn } from "./scripted-model.ts";

/** A server whose operator has a scripted model. @param limits others than a run has by default @param more of its settings */
export function modelWorld(turns: Turn[], limits: Partial<RunLimits> = {}, more: { tools?: ToolSelection } = {}) {
  const model = scriptedModel(turns);
  const llm = { baseUrl: model.baseUrl, model: "test-1", key: "sk-secret-key", limits, ...more };
  const server = startTestServer({ config: { llm } });
  return {
    model,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      model[Symbol.dispose]();
    },
  };
}
