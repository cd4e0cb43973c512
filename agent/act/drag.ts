import type { Protocol } from "devtools-protocol";
import type { Action } from "../../src/contract/index.ts";
import type { TabSession } from "../browser/tabs.ts";
import { where } from "./perform.ts";

/** Moves between start and end: pages begin to drag after the first few pixels. */
const STEPS = 5;

/**
 * Presses at one place, moves and lets go at another. Where the page makes that a drag of its own (HTML drag and drop), Chromium
 * would take the pointer away from us: its drags are taken over and their events sent by hand.
 */
export async function drag(
  tab: TabSession,
  { to, ...from }: Extract<Action, { action: "drag" }>,
  signal: AbortSignal,
): Promise<void> {
  const start = await where(tab, from, { enabled: true }, signal);
  let data: Protocol.Input.DragData | undefined;
  const stop = tab.on("Input.dragIntercepted", (intercepted) => (data = intercepted.data));
  await tab.send("Input.setInterceptDrags", { enabled: true }, signal);
  let pressed = false;
  try {
    await tab.hands.move(start, 1, [], signal);
    pressed = true;
    await tab.hands.down("left", [], signal);
    const nudged = { x: start.x + 4, y: start.y + 4 };
    await tab.hands.move(nudged, 2, [], signal);
    const end = await where(tab, { ...to, force: from.force }, {}, signal);
    await tab.hands.move(end, STEPS, [], signal);
    // The page's answer to our last move is behind us: a drag it began has been told.
    await tab.send("Runtime.evaluate", { expression: "0" }, signal);
    if (data) {
      for (const type of ["dragEnter", "dragOver", "drop"] as const)
        await tab.send("Input.dispatchDragEvent", { type, ...end, data }, signal);
    }
    pressed = false;
    await tab.hands.up("left", [], signal);
  } finally {
    stop();
    // Neither a held button nor our hold on drags may outlast a failure.
    if (pressed) tab.hands.up("left", [], AbortSignal.timeout(RELEASE_MS)).catch(() => {});
    tab.send("Input.setInterceptDrags", { enabled: false }).catch(() => {});
  }
}
const RELEASE_MS = 2_000;
