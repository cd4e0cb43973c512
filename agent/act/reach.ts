import { HypeError } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { pause } from "../browser/deadline.ts";
import { DocumentGone, type PageDocument, PageRefusal } from "../browser/document.ts";
import { frameMap } from "../browser/frame-map.ts";
import { Frames, type Located, type Target } from "../browser/frames.ts";
import { within } from "../browser/page-call.ts";
import type { TabSession } from "../browser/tabs.ts";
import type { Ready, Wanted } from "../page/ready.ts";

/** The page's own loop says after this long what stands in the way, and is asked again: a deadline then knows what to tell. */
const SLICE_MS = 200;
/** The first is short: what is covered is tried elsewhere. */
const FIRST_SLICE_MS = 50;
const RETRY_MS = 20;

export type Reached = Located & { x: number; y: number };

/**
 * Waits until an element can be acted upon, and says where it is in the tab's viewport.
 * @throws HypeError what stood in the way: at once where waiting cannot help (`stale_ref`, `element_ambiguous`, …), else when the
 * deadline ends (`element_hidden`, `element_covered`, …)
 */
export function reach(tab: TabSession, target: Target, wanted: Wanted, signal: AbortSignal): Promise<Reached> {
  let attempt = 0;
  return untilDone(signal, async () => {
    const located = await tab.frames.locate(target, signal);
    return within(located.target, async () => {
      const at = await readyAt(located, wanted, attempt++, signal);
      const point = wanted.point ? await outwards(located.document, at, wanted.force === true, signal) : at;
      return { ...located, ...point };
    });
  });
}

async function readyAt(
  { document, target }: Located,
  wanted: Wanted,
  attempt: number,
  signal: AbortSignal,
): Promise<{ x: number; y: number }> {
  const sliceMs = attempt === 0 ? FIRST_SLICE_MS : SLICE_MS;
  const at: Ready = await document.call("ready", [target, wanted, attempt, sliceMs], signal);
  if (at.ok) return at;
  throw PageRefusal.of(at);
}

/** From a frame's viewport to the tab's, past whatever lies over the frame. */
async function outwards(
  document: PageDocument,
  from: { x: number; y: number },
  force: boolean,
  signal: AbortSignal,
): Promise<{ x: number; y: number }> {
  let { x, y } = from;
  for (const frame of Frames.outwards(document)) {
    ({ x, y } = (await frameMap(frame, signal))({ x, y }));
    if (!force) await frame.document.call("reachesFrame", [frame.ref, x, y], signal);
  }
  return { x, y };
}

/** Tries again what is refused for now; when the deadline ends it, the last refusal is what is told. */
export async function untilDone<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  let last: HypeError | undefined;
  try {
    for (;;) {
      try {
        return await attempt();
      } catch (thrown) {
        const now = thrown instanceof PageRefusal && !thrown.final;
        if (!now && !(thrown instanceof DocumentGone)) throw thrown;
        if (now) last = thrown;
      }
      await pause(RETRY_MS, signal);
    }
  } catch (thrown) {
    if (last && signal.aborted && signal.reason instanceof HypeError && signal.reason.code === "operation_timeout")
      throw new HypeError(last.code, `${last.message} (${signal.reason.message})`, {}, { cause: thrown });
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", `Chromium refuses: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}
