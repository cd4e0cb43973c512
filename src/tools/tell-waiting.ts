import type { ToolContext } from "./tool.ts";

/** What is over sooner needs no word; clients that wait a minute for a result begin anew with each, milliseconds. */
const FIRST_MS = 1_000;
const EVERY_MS = 5_000;

/**
 * Tells the caller that a wait goes on, by the seconds it took of those it may take, while `work` waits. `work` tells what changed itself, too.
 * @param message what is waited for, or how it stands
 */
export async function tellWaiting<T>(
  { progress }: Pick<ToolContext, "progress">,
  mostMs: number,
  message: () => string,
  work: (tell: () => void) => Promise<T>,
  { firstMs = FIRST_MS, everyMs = EVERY_MS } = {},
): Promise<T> {
  const startedAt = performance.now();
  const total = mostMs / 1_000;
  let done = 0;
  const tell = () => {
    done = Math.max(done + 0.001, Math.round(performance.now() - startedAt) / 1_000);
    progress({ done: Math.min(done, total), total, message: message() });
  };
  let timer = setTimeout(function again() {
    tell();
    timer = setTimeout(again, everyMs);
  }, firstMs);
  try {
    return await work(tell);
  } finally {
    clearTimeout(timer);
  }
}
