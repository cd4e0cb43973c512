import type { Vm } from "../../../contract/index.ts";
import type { Area } from "../../canvas/area.ts";
import type { Canvas } from "../../canvas/canvas.ts";
import type { Detail } from "../../state/detail.ts";
import type { Click } from "../view.ts";

/** A frame, and in it the picture of the page, which the app lays over it. */
export function drawPage(canvas: Canvas<Click>, area: Area, vm: Vm, detail: Detail): void {
  const inside = canvas.box(area, "page", { titleInk: "muted" });
  if (vm.status !== "running") return void canvas.text(inside, ` ${vm.name} is ${vm.status}`, { ink: "muted" });
  if (detail.picture) canvas.picture = inside;
  else canvas.text(inside, ` ${detail.problem ?? "waiting for the first picture"}`, { ink: "muted" });
}
