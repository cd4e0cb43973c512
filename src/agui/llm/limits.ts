/** What one run may ask of a model. */
export const LLM_LIMITS = {
  /** Times the model is asked. */
  rounds: 24,
  /** The whole run, ms. */
  totalMs: 10 * 60_000,
  /** Silence of the endpoint, ms. */
  silenceMs: 60_000,
  /** Tokens it is charged for, in and out, as the endpoint counts them. */
  tokens: 400_000,
  /** Tokens of one answer. */
  answerTokens: 8_192,
  /** Characters it may say in one answer, arguments included: for endpoints that count nothing. */
  answerCharacters: 400_000,
  /** Calls in one answer. */
  calls: 32,
  /** Characters of a tool's result that it is shown. */
  resultCharacters: 40_000,
} as const;
