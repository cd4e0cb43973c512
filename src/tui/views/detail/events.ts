import { drawEvents } from "../events.ts";
import type { PaneView } from "./vm.ts";

/** What happened to this VM, newest first. */
export const vmEvents: PaneView = ({ canvas, area, state, vm, detail }) => {
  const own = state.events.filter(({ vm_id }) => vm_id === vm.id).toReversed();
  drawEvents(canvas, area, own, { top: Math.min(detail.scroll.top, Math.max(0, own.length - 1)), cursor: -1 });
};
