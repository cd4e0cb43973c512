import { HypeError } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";

/** The agent keeps its last lines in memory and tells nobody of new ones: a follower asks this often, milliseconds. */
const ASK_MS = 1_000;
/** So many lines in a row are where we were: each carries its time. */
const MARK_LINES = 4;

const lastLines = (text: string, count: number): string =>
  count === 0
    ? ""
    : text
        .split(/(?<=\n)/)
        .slice(-count)
        .join("");

/** What `now` holds beyond `before`; all of it when nothing of `before` is left in it (the agent was restarted, or wrote a lot). */
export function newPart(before: string, now: string): string {
  const mark = lastLines(before, MARK_LINES);
  const at = mark === "" ? -1 : now.lastIndexOf(mark);
  return at < 0 ? now : now.slice(at + mark.length);
}

/**
 * The agent's log like `readLog` gives a file: the last `tail` lines, then what is added, until the signal aborts or the VM is gone.
 * @param first what the guest said when it was asked before.
 */
export async function* readAgentLog(
  guest: Pick<Guest, "logs">,
  first: string,
  { tail, follow, signal }: { tail: number; follow: boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  let text = first;
  const beginning = lastLines(text, tail);
  if (beginning) yield beginning;
  while (follow && (await pause(ASK_MS, signal))) {
    const now = await guest.logs("agent", signal).catch((thrown: unknown) => {
      if (thrown instanceof HypeError) return null; // the VM is gone, or the reader
      throw thrown;
    });
    if (now === null) return;
    const added = newPart(text, now);
    text = now;
    if (added) yield added;
  }
}

/** @returns false when the signal aborted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve(!signal.aborted);
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
