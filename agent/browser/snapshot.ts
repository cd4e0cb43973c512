import { HypeError, type PageSnapshot, type Snapshot } from "../../src/contract/index.ts";
import { DocumentGone, type PageDocument, PageRefusal } from "./document.ts";
import { onPage, within } from "./page-call.ts";
import type { TabSession } from "./tabs.ts";

/** Frames looked into by one snapshot; how long one may keep all others waiting, ms; how deep they are followed. */
const MAX_FRAMES = 200;
const FRAME_MS = 5_000;
const MAX_DEPTH = 12;

type Budget = { frames: number; maxChars: number };

/**
 * The accessibility tree of a page and of the frames in it, as YAML in the form Playwright made known.
 * @throws HypeError `stale_ref` | `element_not_found` | `element_ambiguous` | `operation_timeout`
 */
export async function snapshot(tab: TabSession, request: Snapshot, signal: AbortSignal): Promise<PageSnapshot> {
  const budget: Budget = { frames: MAX_FRAMES, maxChars: request.max_chars };
  const whole = request.ref === undefined && request.selector === undefined && request.frame === undefined;
  const { lines, leftOut } = await onPage(tab, signal, async () => {
    if (whole) return read(tab, await tab.frames.main(signal), null, budget, 0, signal);
    const { document, target } = await tab.frames.locate(request, signal);
    return within(target, () => read(tab, document, target, budget, 0, signal));
  });
  const { yaml, truncated } = cut(lines, leftOut, request.max_chars);
  return { tab: tab.id, ...(await tab.info(signal)), yaml, truncated };
}

type Read = { lines: string[]; leftOut: number };

async function read(
  tab: TabSession,
  document: PageDocument,
  root: { ref?: string; selector?: string } | null,
  budget: Budget,
  depth: number,
  signal: AbortSignal,
): Promise<Read> {
  const { yaml, leftOut, frames } = await document.call("snapshot", [root, budget.maxChars], signal);
  const lines = yaml === "" ? [] : yaml.split("\n");
  if (frames.length === 0) return { lines, leftOut };
  const inner = await Promise.all(
    frames.map(async (frame) => {
      if (depth >= MAX_DEPTH || budget.frames <= 0)
        return { ...frame, lines: ["- text: (too many frames to show)"], leftOut: 1 };
      budget.frames -= 1;
      return { ...frame, ...(await readFrame(tab, document, frame.ref, budget, depth + 1, signal)) };
    }),
  );
  let missing = leftOut;
  for (const { line, depth: level, lines: held, leftOut: more } of inner.reverse()) {
    missing += more;
    if (held.length === 0) continue;
    if (!lines[line]!.endsWith(":")) lines[line] += ":";
    const indent = "  ".repeat(level);
    lines.splice(line + 1, 0, ...held.map((text) => indent + text));
  }
  return { lines, leftOut: missing };
}

/** A frame that went away or does not answer costs the snapshot its own part only. */
async function readFrame(
  tab: TabSession,
  outer: PageDocument,
  ref: string,
  budget: Budget,
  depth: number,
  signal: AbortSignal,
): Promise<Read> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(FRAME_MS)]);
  for (let attempt = 0; ; attempt++) {
    try {
      const document = await tab.frames.inside(outer, ref, soon);
      return await read(tab, document, null, budget, depth, soon);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (thrown instanceof DocumentGone && attempt < 3 && !soon.aborted) continue;
      if (
        soon.aborted ||
        thrown instanceof DocumentGone ||
        thrown instanceof PageRefusal ||
        thrown instanceof HypeError
      )
        return { lines: ["- text: (this frame does not answer)"], leftOut: 1 };
      throw thrown;
    }
  }
}

/** Whole lines up to the limit, and a comment that says what is missing. */
function cut(lines: string[], leftOut: number, maxChars: number): { yaml: string; truncated: boolean } {
  let chars = 0;
  let fit = 0;
  while (fit < lines.length && chars + lines[fit]!.length + 1 <= maxChars) chars += lines[fit++]!.length + 1;
  const truncated = leftOut > 0 || fit < lines.length;
  const kept = lines.slice(0, fit);
  if (truncated)
    kept.push(
      `# truncated: about ${Math.max(1, lines.length - fit + leftOut)} more nodes. Take the snapshot of a part (ref or selector), or raise max_chars.`,
    );
  return { yaml: kept.join("\n"), truncated };
}
