import type { Area } from "../canvas/area.ts";
import type { Canvas } from "../canvas/canvas.ts";
import type { ActionName } from "../keys/bindings.ts";
import type { Pane, SortField, State } from "../state/state.ts";

/** What a click does: an action as a key would do it, or the choice of a VM. */
export type Click =
  | { kind: "action"; action: ActionName }
  | { kind: "choose"; vmId: string }
  | { kind: "event"; seq: number }
  | { kind: "pane"; pane: Pane }
  | { kind: "sort"; field: SortField }
  /** To what lies over the screen: a key as if it was typed, or one of the things it offers. */
  | { kind: "key"; key: string }
  | { kind: "item"; index: number }
  | { kind: "nothing" };

/** Keeps a click from what lies below. */
export const NOTHING: Click = { kind: "nothing" };

export const act = (action: ActionName): Click => ({ kind: "action", action });

/** A view draws the state into an area. It keeps nothing, asks nobody, changes nothing but what it notes of its own size. */
export type View = (canvas: Canvas<Click>, area: Area, state: State, nowMs: number) => void;
