import type { Vm } from "../../../contract/index.ts";
import { type Area, cutTop } from "../../canvas/area.ts";
import type { Canvas } from "../../canvas/canvas.ts";
import { STATUS_LOOKS } from "../../canvas/status.ts";
import { widthOf } from "../../canvas/text.ts";
import type { Detail } from "../../state/detail.ts";
import { emptyDetail } from "../../state/detail.ts";
import { type Pane, PANES, type State } from "../../state/state.ts";
import type { Click, View } from "../view.ts";
import { artifacts } from "./artifacts.ts";
import { configuration } from "./configuration.ts";
import { vmEvents } from "./events.ts";
import { lines } from "./lines.ts";
import { network } from "./network.ts";
import { overview } from "./overview.ts";
import { pageOnly, tabs } from "./tabs.ts";

/** What a pane draws from. */
export type PaneInput = { canvas: Canvas<Click>; area: Area; state: State; vm: Vm; detail: Detail; nowMs: number };
export type PaneView = (input: PaneInput) => void;

/** Panes with the picture of the page, which can be enlarged. */
export const PICTURED: ReadonlySet<Pane> = new Set(["overview", "tabs"]);

const VIEWS: Record<Pane, PaneView> = {
  overview,
  tabs,
  console: lines,
  logs: lines,
  network,
  events: vmEvents,
  artifacts,
  configuration,
};

/** One VM: its name, the strip of panes, and the pane that is chosen. */
export const vmView: View = (canvas, area, state, nowMs) => {
  const { screen } = state;
  const vm = screen.name === "vm" ? state.vms.get(screen.vmId) : undefined;
  if (screen.name !== "vm" || !vm) return;
  const detail = state.detail?.vmId === vm.id ? state.detail : emptyDetail(vm.id);
  if (detail.enlarged && PICTURED.has(screen.pane)) return pageOnly({ canvas, area, state, vm, detail, nowMs });
  const [head, rest] = cutTop(area, 1);
  const [strip, body] = cutTop(rest, 2);
  const { sign, ink } = STATUS_LOOKS[vm.status];
  canvas.pieces({ ...head, x: head.x + 1, width: head.width - 1 }, [
    [vm.name, { ink: "title", bold: true }],
    [`  ${sign} ${state.busy.get(vm.id) ?? vm.status}`, { ink }],
    ...(vm.control
      ? ([[`  in the hands of ${vm.control.label ?? "a person"}`, { ink: "warning" }]] as [
          string,
          { ink: "warning" },
        ][])
      : []),
    [`  ${state.usage.get(vm.id)?.page?.title ?? ""}`, { ink: "muted" }],
  ]);
  panes(canvas, strip, screen.pane);
  VIEWS[screen.pane]({ canvas, area: body, state, vm, detail, nowMs });
};

function panes(canvas: Canvas<Click>, area: Area, chosen: Pane): void {
  const { names, gap } = stripFor(area.width);
  let x = area.x + 1;
  for (const [at, { pane, text }] of names.entries()) {
    const isChosen = pane === chosen;
    const shown = isChosen && text.length === 1 ? `${at + 1} ${pane}` : text;
    const spot = { x, y: area.y, width: Math.min(widthOf(shown) + 2, area.x + area.width - x), height: 1 };
    canvas.text(spot, ` ${shown} `, isChosen ? { ink: "selected", paper: "selection", bold: true } : { ink: "muted" });
    canvas.spot(spot, { kind: "pane", pane });
    x += spot.width + gap;
  }
}

/** As much of the panes' keys and names as there is room for; at least the keys. */
function stripFor(width: number): { names: { pane: Pane; text: string }[]; gap: number } {
  const form = (text: (pane: Pane, key: number) => string) =>
    PANES.map((pane, at) => ({ pane, text: text(pane, at + 1) }));
  const forms = [
    { names: form((pane, key) => `${key} ${pane}`), gap: 1 },
    { names: form((pane) => pane), gap: 0 },
  ];
  const fits = ({ names, gap }: (typeof forms)[number]) =>
    names.reduce((sum, { text }) => sum + widthOf(text) + 2 + gap, 1) <= width;
  return forms.find(fits) ?? { names: form((_pane, key) => String(key)), gap: 1 };
}
