import type { Area } from "../canvas/area.ts";
import type { Canvas } from "../canvas/canvas.ts";
import type { ActionName } from "../keys/bindings.ts";
import type { State } from "../state/state.ts";

/** What a click does: an action as a key would do it, or the choice of a VM. */
export type Click =
  | { kind: "action"; action: ActionName }
  | { kind: "choose"; vmId: string }
  | { kind: "event"; index: number }
  | { kind: "pane"; pane: import("../state/state.ts").Pane };

export const act = (action: ActionName): Click => ({ kind: "action", action });

/** A view draws the state into an area. It keeps nothing, asks nobody, changes nothing but what it notes of its own size. */
export type View = (canvas: Canvas<Click>, area: Area, state: State, nowMs: number) => void;
