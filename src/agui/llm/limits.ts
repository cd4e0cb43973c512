/** What one run may ask of a model. */
export const LLM_LIMITS = {
  /** Times the model is asked. */
  rounds: 24,
  /** The whole run, ms. */
  totalMs: 10 * 60_000,
  /** Silence of the endpoint, ms. */
  silenceMs: 60_000,
  /** Tokens it is charged for, in and out, as the endpoint counts them; where it counts none, as they are estimated. */
  tokens: 400_000,
  /** Tokens of one answer. */
  answerTokens: 8_192,
  /** Characters it may say in one answer, arguments included. */
  answerCharacters: 400_000,
  /** Calls in one answer. */
  calls: 32,
  /** Characters of a tool's result that it is shown. */
  resultCharacters: 40_000,
} as const;

/** Those that a server may have set otherwise. */
export type RunLimits = Record<"rounds" | "totalMs" | "silenceMs" | "tokens", number>;
