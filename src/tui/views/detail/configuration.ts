import { inset } from "../../canvas/area.ts";
import { drawFacts, type Fact } from "./facts.ts";
import type { PaneView } from "./vm.ts";

/** The whole row, as the API gives it. */
export const configuration: PaneView = ({ canvas, area, vm, detail }) => {
  const facts = Object.entries(vm)
    .filter(([name]) => name !== "console_tail")
    .map(([name, value]): Fact => [
      name,
      value === null ? "-" : typeof value === "string" ? value : JSON.stringify(value),
    ]);
  drawFacts(canvas, inset(area, 1, 0, 0), facts, { detail });
};
