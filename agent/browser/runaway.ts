import type { TabSession } from "./tabs.ts";

/** A page that can still run scripts answers this soon, even under software emulation. */
const STILL_ALIVE_MS = 1_000;

/**
 * After an operation timed out: when the page runs no script at all it is caught in a loop, which is ended; a page that merely
 * waits for something is left alone (the order to end would hit the next script it runs).
 */
export async function endRunawayScript(tab: TabSession): Promise<void> {
  const probe = AbortSignal.timeout(STILL_ALIVE_MS);
  try {
    await tab.send("Runtime.evaluate", { expression: "0" }, probe);
  } catch {
    if (probe.aborted)
      await tab.send("Runtime.terminateExecution", undefined, AbortSignal.timeout(STILL_ALIVE_MS)).catch(() => {});
  }
}
