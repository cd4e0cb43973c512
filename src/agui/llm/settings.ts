import type { RunLimits } from "./limits.ts";

/** A model behind an OpenAI-compatible endpoint. */
export type LlmSettings = {
  /** Up to and without `/chat/completions`. */
  baseUrl: string;
  model: string;
  /** null: the endpoint wants none. */
  key: string | null;
  /** Default: {@link LLM_LIMITS}. */
  limits?: Partial<RunLimits>;
};
