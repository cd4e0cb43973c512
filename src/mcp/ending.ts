import { HypeError, messageOf } from "../contract/index.ts";
import type { Outcome } from "../tools/run.ts";

/** What a call may take to end by itself once its server or key is over, milliseconds. */
const CALL_GRACE_MS = 1_000;
/** What is under way then is answered within this, milliseconds: the handlers' own end, and room. */
export const GRACE_MS = 2_000;

/** Why everything of a key ends: the server goes away, or the key does. */
export function whyOver({ closing, ended }: { closing: AbortSignal; ended: AbortSignal }): HypeError {
  const isKeys = ended.aborted && !closing.aborted;
  const { reason } = isKeys ? ended : closing;
  if (reason instanceof HypeError) return reason;
  return isKeys
    ? new HypeError("unauthorized", messageOf(reason))
    : new HypeError("shutting_down", "the server is shutting down");
}

/**
 * What became of a call. Once `over` fires it ends soon: with what it came to if it is done, else as `ended` says.
 * A call that does not end by its signal is not waited for.
 */
export async function outcomeOf(work: Promise<Outcome>, over: AbortSignal, ended: () => Outcome): Promise<Outcome> {
  const late = Promise.withResolvers<Outcome>();
  let timer: Timer | undefined;
  const begin = () => void (timer = setTimeout(() => late.resolve(ended()), CALL_GRACE_MS));
  over.addEventListener("abort", begin, { once: true });
  if (over.aborted) begin();
  try {
    const outcome = await Promise.race([work, late.promise]);
    return over.aborted && outcome.kind === "failed" ? ended() : outcome;
  } finally {
    clearTimeout(timer);
    over.removeEventListener("abort", begin);
  }
}

/** Requests under way: who closes waits until they are answered, and not for ever. */
export class Flights {
  #count = 0;
  #landed = Promise.withResolvers<void>();

  /** @returns to be called once, when it is answered */
  begin(): () => void {
    this.#count++;
    return () => {
      if (--this.#count > 0) return;
      this.#landed.resolve();
      this.#landed = Promise.withResolvers();
    };
  }

  /** Resolves when nothing is under way, or after the grace. */
  async over(graceMs: number): Promise<void> {
    if (this.#count === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, graceMs);
    await Promise.race([this.#landed.promise, late.promise]);
    clearTimeout(timer);
  }
}
