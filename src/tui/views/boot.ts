import type { Vm } from "../../contract/index.ts";
import { duration } from "../../text/units.ts";
import type { Style } from "../canvas/canvas.ts";
import { bootSteps } from "../state/boot.ts";
import type { State } from "../state/state.ts";

/** How far a boot is, a line each: what is done and when it was, what is being done and for how long, what comes. */
export function bootLines(state: State, vm: Vm, nowMs: number): [text: string, style: Style][] {
  const { startedMs, steps } = bootSteps(state, vm);
  const now = steps.findIndex(({ doneMs }) => doneMs === null);
  return steps.map(({ text, doneMs }, at) => {
    if (doneMs !== null) return [`✔ ${text}  ${duration(doneMs)}`, { ink: "good" }];
    if (at > now) return [`· ${text}`, { ink: "muted" }];
    return [`◔ ${text} …  ${duration(Math.floor(Math.max(0, nowMs - startedMs) / 1000) * 1000)}`, { ink: "info" }];
  });
}
