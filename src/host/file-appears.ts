import { existsSync, watch } from "node:fs";
import { dirname } from "node:path";
import { HypeError } from "../contract/index.ts";
import type { Detached } from "./process.ts";

/**
 * Waits for the file by which a program that was just started says that it is ready. Event-driven (inotify).
 * @returns what came first: the file, the program's end, or the deadline.
 * @throws HypeError cancelled
 */
export async function fileAppears(
  path: string,
  program: Detached,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<"appeared" | "ended" | "late"> {
  const { promise, resolve, reject } = Promise.withResolvers<"appeared" | "ended" | "late">();
  const look = () => existsSync(path) && resolve("appeared");
  const cancel = () => reject(new HypeError("cancelled", "the start was cancelled"));
  const watcher = watch(dirname(path), look);
  const late = setTimeout(() => resolve("late"), deadlineMs);
  signal.addEventListener("abort", cancel, { once: true });
  void program.exited.then(() => resolve("ended"));
  if (signal.aborted) cancel();
  look();
  try {
    return await promise;
  } finally {
    watcher.close();
    clearTimeout(late);
    signal.removeEventListener("abort", cancel);
  }
}
