import { HypeError } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { pause } from "./deadline.ts";
import { DocumentGone } from "./document.ts";
import { staleRef } from "./frames.ts";
import { afterDeadline } from "./runaway.ts";
import type { TabSession } from "./tabs.ts";

/** Replaced so often in one operation, a page is taken for one that never settles. */
const MAX_REPLACED = 20;
const PAUSE_MS = 20;

/**
 * Runs what looks at documents; again, when one was replaced under it. When the deadline ends it the page is asked whether it
 * still runs scripts, and what stood in the way is said instead of a bare timeout.
 * @throws HypeError as the act's, `evaluation_failed` where Chromium refuses
 */
export async function onPage<T>(tab: TabSession, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    for (let attempt = 0; ; attempt++)
      try {
        return await act();
      } catch (thrown) {
        if (!(thrown instanceof DocumentGone)) throw thrown;
        if (attempt >= MAX_REPLACED)
          throw new HypeError("evaluation_failed", "the page is replaced by others without end", {}, { cause: thrown });
        await pause(PAUSE_MS, signal);
      }
  } catch (thrown) {
    if (signal.aborted) await afterDeadline(tab, signal);
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", `the page could not be read: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}

/** On one document: a ref is stale once that is gone; a selector is looked for in the next. */
export async function within<T>(target: { ref?: string | undefined }, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof DocumentGone)) throw thrown;
    throw target.ref === undefined ? thrown : staleRef(target.ref);
  }
}
