import type { Area } from "../canvas/area.ts";
import type { Canvas } from "../canvas/canvas.ts";
import type { Commands } from "../commands/commands.ts";
import type { RunningCommands } from "../commands/running.ts";
import type { Operations } from "../feed/operations.ts";
import type { ActionName } from "../keys/bindings.ts";
import type { Key } from "../keys/match.ts";
import type { Overlay, OverlayKind } from "../state/overlays.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import type { Click } from "../views/view.ts";

/** What an overlay may do beside changing the state. */
export type OverlayContext = {
  store: Store;
  operations: Operations;
  commands: Commands;
  run(action: ActionName): void;
  running: RunningCommands;
};

/** Something that lies over the screen and has the keys. Its state stands in `State.overlay`. */
export type OverlayRoom<K extends OverlayKind> = {
  draw(canvas: Canvas<Click>, area: Area, state: State, own: Extract<Overlay, { kind: K }>, nowMs: number): void;
  /** A key that no binding of the overlay takes. */
  key(own: Extract<Overlay, { kind: K }>, key: Key, context: OverlayContext): void;
  /** A click on the thing it offers there. */
  click?(own: Extract<Overlay, { kind: K }>, index: number, context: OverlayContext): void;
  paste?(own: Extract<Overlay, { kind: K }>, text: string, context: OverlayContext): void;
};
