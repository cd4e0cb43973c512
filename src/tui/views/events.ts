import type { VmEvent } from "../../contract/index.ts";
import { safeJson } from "../../text/sanitize.ts";
import { type Area, cutTop, inset } from "../canvas/area.ts";
import type { Canvas, Style } from "../canvas/canvas.ts";
import { scrolledTo } from "../canvas/table.ts";
import { cursorIn, journalRows } from "../state/journal.ts";
import { act, type Click, type View } from "./view.ts";

const LOOKS: Partial<Record<VmEvent["type"], Style>> = {
  VM_CRASHED: { ink: "bad", bold: true },
  VM_BROWSER_DIED: { ink: "bad" },
  VM_EGRESS_DENIED: { ink: "warning" },
  VM_CONTROL_TAKEN: { ink: "warning" },
  VM_RUNNING: { ink: "good" },
  VM_BROWSER_READY: { ink: "good" },
};

/** Most names are shorter; what stands behind longer ones is moved. */
const NAME_WIDTH = 18;

/** Events from one on, one line each. @param cursor index of the chosen one; -1: none */
export function drawEvents(
  canvas: Canvas<Click>,
  area: Area,
  events: readonly VmEvent[],
  { top, cursor }: { top: number; cursor: number },
): void {
  const inside = inset(area, 1, 0);
  if (events.length === 0) return void canvas.text(inset(area, 2, 1), "nothing happened", { ink: "muted" });
  for (const [at, event] of events.slice(top, top + inside.height).entries()) {
    const line = { ...inside, y: inside.y + at, height: 1 };
    const paper = top + at === cursor ? { paper: "selection" as const } : {};
    canvas.line(line, "", paper);
    if (top + at === cursor) canvas.text({ ...line, x: area.x, width: 1 }, "❯", { ink: "accent", ...paper });
    const data = Object.keys(event.data).length === 0 ? "" : safeJson(event.data);
    canvas.pieces(line, [
      [`${event.at.slice(5, 10)} ${event.at.slice(11, 19)}  `, { ink: "muted", ...paper }],
      [event.type.padEnd(20), { ...(LOOKS[event.type] ?? { ink: "info" }), ...paper }],
      [`  ${event.vm_name.padEnd(NAME_WIDTH)}`, { bold: true, ...paper }],
      [`  ${data}`, { ink: "muted", ...paper }],
    ]);
    canvas.spot(line, { kind: "event", seq: event.seq }, { up: act("previous"), down: act("next") });
  }
}

/** Events of all VMs, newest first; enter goes to the VM. */
export const events: View = (canvas, area, state) => {
  const rows = journalRows(state);
  const { journal } = state;
  let body = area;
  if (journal.filter !== "") {
    const [line, rest] = cutTop(area, 1);
    canvas.line(line, ` ${rows.length} of ${state.events.length}  /${journal.filter}`, { ink: "accent" });
    body = rest;
  }
  const cursor = cursorIn(state, rows);
  journal.top = scrolledTo(cursor, journal.top, body.height, rows.length);
  drawEvents(canvas, body, rows, { top: journal.top, cursor });
};
