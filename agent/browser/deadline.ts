import { HypeError } from "../../src/contract/index.ts";

/**
 * Runs one operation under its own deadline and its caller's signal; both reach it as one signal, and what it throws when that
 * aborts is already the right error.
 * @throws HypeError `operation_timeout` | `cancelled`, and whatever the operation throws.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  caller: AbortSignal,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const timer = setTimeout(
    () => own.abort(new HypeError("operation_timeout", `${what} did not finish within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const onCaller = () => own.abort(new HypeError("cancelled", `the caller of ${what} went away`));
  if (caller.aborted) onCaller();
  caller.addEventListener("abort", onCaller, { once: true });
  try {
    return await operation(own.signal);
  } finally {
    clearTimeout(timer);
    caller.removeEventListener("abort", onCaller);
  }
}

/** @throws the signal's reason when it aborts first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
