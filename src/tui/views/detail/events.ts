import { drawEvents } from "../events.ts";
import { drawScrollbar, topOf } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

/** What happened to this VM, newest first. */
export const vmEvents: PaneView = ({ canvas, area, state, vm, detail }) => {
  const own = state.events.filter(({ vm_id }) => vm_id === vm.id).toReversed();
  const top = topOf(detail, own.length, area.height);
  drawEvents(canvas, area, own, { top, cursor: -1 });
  drawScrollbar(canvas, area, top, own.length);
};
