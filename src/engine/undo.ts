import type { Log } from "../log/log.ts";

/**
 * Runs a work of several steps, each of which registers how it is undone. When it fails, all is undone in reverse and the
 * failure goes on; when it succeeds, what was made stays. An undo that fails is logged and does not hide the failure.
 */
export async function withUndo<T>(log: Log, work: (undo: AsyncDisposableStack) => Promise<T>): Promise<T> {
  const undo = new AsyncDisposableStack();
  try {
    return await work(undo);
  } catch (thrown) {
    await undo.disposeAsync().catch((fault: unknown) => log.error("a step could not be undone", { error: fault }));
    throw thrown;
  }
}
