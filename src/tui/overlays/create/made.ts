import { type Area, centred, inset } from "../../canvas/area.ts";
import type { Canvas, Style } from "../../canvas/canvas.ts";
import { STATUS_LOOKS } from "../../canvas/status.ts";
import { wrap } from "../../canvas/text.ts";
import { isBooting } from "../../state/boot.ts";
import type { State } from "../../state/state.ts";
import { bootLines } from "../../views/boot.ts";
import type { Click } from "../../views/view.ts";
import type { OverlayContext } from "../overlay.ts";

/** The VM the form made, until somebody looks elsewhere: it boots on either way. */
export function drawMade(canvas: Canvas<Click>, area: Area, state: State, vmId: string, nowMs: number): void {
  const vm = state.vms.get(vmId);
  const width = Math.min(60, area.width);
  const lines: [string, Style][] = vm ? bootLines(state, vm, nowMs) : [];
  const after: [string, Style][] = !vm
    ? [["it is gone", { ink: "bad" }]]
    : vm.status_reason
      ? wrap(vm.status_reason, width - 6).slice(0, 4).map((text) => [text, { ink: "bad" }]) // prettier-ignore
      : [
          [
            isBooting(vm) ? "It boots on when this is closed." : `${STATUS_LOOKS[vm.status].sign} ${vm.status}`,
            { ink: vm.status === "running" ? "good" : "muted" },
          ],
        ];
  const all = [...lines, ...(vm ? [["", {}] as [string, Style]] : []), ...after];
  const title = vm
    ? `${vm.name} ${isBooting(vm) ? "boots" : vm.status === "crashed" ? "crashed" : `is ${vm.status}`}`
    : "Create a VM";
  const inside = inset(
    canvas.box(centred(area, width, all.length + 4), title, { ink: "accent", paper: "panel" }),
    2,
    1,
  );
  for (const [at, [text, style]] of all.entries())
    canvas.text({ ...inside, y: inside.y + at, height: 1 }, text, { ...style, paper: "panel" });
}

export function openMade(vmId: string, { store }: OverlayContext): void {
  store.update((state) => {
    state.overlay = null;
    if (!state.vms.has(vmId)) return;
    state.fleet.cursor = vmId;
    state.screen = { name: "vm", vmId, pane: "overview" };
  });
}
