import { HypeError } from "../../src/contract/index.ts";
import { dialogToAnswer, type OpenDialog } from "./dialogs.ts";
import type { TabSession } from "./tabs.ts";

/** A page that can still run scripts answers this soon, even under software emulation. */
const STILL_ALIVE_MS = 1_000;

/**
 * After an operation's signal ended it: when the page runs no script at all it is caught in a loop, which is ended; a page that
 * merely waits for something is left alone (the order to end would hit the next script it runs). A page that stands still before a
 * dialog that is somebody's to answer is left alone too.
 * @throws HypeError `operation_timeout` naming the dialog that is open
 */
export async function afterDeadline(tab: TabSession, signal: AbortSignal): Promise<void> {
  const asking = dialogToAnswer(tab);
  if (asking) return stillBefore(asking, signal);
  const { dialog } = tab;
  const probe = AbortSignal.timeout(STILL_ALIVE_MS);
  try {
    await tab.send("Runtime.evaluate", { expression: "0" }, probe);
  } catch {
    if (!probe.aborted) return;
    // One of a storm would have been followed by another.
    if (dialog && tab.dialog === dialog) return stillBefore(dialog, signal);
    await tab.send("Runtime.terminateExecution", undefined, AbortSignal.timeout(STILL_ALIVE_MS)).catch(() => {});
  }
}

function stillBefore({ id, type, message }: OpenDialog, { reason }: { reason?: unknown }): void {
  if (!(reason instanceof HypeError) || reason.code !== "operation_timeout") return;
  const which = `${type} ${JSON.stringify(message.slice(0, 200))}`;
  const how = id === undefined ? "" : ` (answer-dialog ${id})`;
  throw new HypeError(
    "operation_timeout",
    `${reason.message}: the page stands still before a dialog, ${which}, until it is answered${how}`,
    { ...reason.details, ...(id !== undefined && { dialog: id }) },
    { cause: reason },
  );
}
