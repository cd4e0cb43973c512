import type { ToolSelection } from "../../contract/index.ts";
import type { RunLimits } from "./limits.ts";

/** A model behind an OpenAI-compatible endpoint. */
export type LlmSettings = {
  /** Up to and without `/chat/completions`. */
  baseUrl: string;
  model: string;
  /** null: the endpoint wants none. */
  key: string | null;
  /** What it is offered where a run does not say; default: what MCP lists by default. */
  tools?: ToolSelection;
  /** Default: {@link LLM_LIMITS}. */
  limits?: Partial<RunLimits>;
};
