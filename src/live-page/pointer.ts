import type { ControlCommand } from "../contract/index.ts";
import { element } from "./element.ts";
import { modifiersOf } from "./modifiers.ts";
import { pagePoint } from "./picture.ts";

const BUTTONS = ["left", "middle", "right", "back", "forward"] as const;
/** CSS pixels of one line where a wheel counts in lines. */
const LINE_PX = 40;

export type Hand = {
  /** This page has control. */
  holds(): boolean;
  send(command: ControlCommand): void;
  /** Somebody tried to act without it. */
  refused(): void;
};

/** Mouse, wheel and fingers on the picture. */
export function watchPointer({ holds, send, refused }: Hand): void {
  const canvas = element("picture");
  const keys = element("keys");
  const pressed = new Set<number>();
  const waiting = new Map<"move" | "wheel" | "touch", () => void>();
  let wheel = { x: 0, y: 0 };

  /** At most one of a kind for each frame of the screen. */
  const soon = (kind: "move" | "wheel" | "touch", work: () => void) => {
    if (waiting.size === 0) requestAnimationFrame(flush);
    waiting.set(kind, work);
  };
  const flush = () => {
    const works = [...waiting.values()];
    waiting.clear();
    for (const work of works) work();
  };

  const tell = (action: "move" | "down" | "up", event: MouseEvent) =>
    send({
      type: "mouse",
      action,
      ...pagePoint(event),
      button: action === "move" ? "none" : (BUTTONS[event.button] ?? "none"),
      buttons: event.buttons & 31,
      click_count: action === "move" ? 0 : Math.min(3, Math.max(1, event.detail)),
      delta_x: 0,
      delta_y: 0,
      modifiers: modifiersOf(event),
    });

  canvas.addEventListener("mousedown", (event) => {
    event.preventDefault(); // no selection, no drag of the picture, and the focus stays with the keyboard
    if (!holds()) return refused();
    keys.focus({ preventScroll: true });
    flush();
    pressed.add(event.button);
    tell("down", event);
  });
  window.addEventListener("mouseup", (event) => {
    if (!pressed.delete(event.button)) return;
    event.preventDefault();
    flush();
    tell("up", event);
  });
  window.addEventListener("mousemove", (event) => {
    if (holds() && (event.target === canvas || pressed.size > 0)) soon("move", () => tell("move", event));
  });
  canvas.addEventListener("contextmenu", (event) => holds() && event.preventDefault());
  canvas.addEventListener("auxclick", (event) => event.preventDefault());
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!holds()) return;
      event.preventDefault();
      const unit = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? LINE_PX : canvas.clientHeight;
      wheel = { x: wheel.x + event.deltaX * unit, y: wheel.y + event.deltaY * unit };
      soon("wheel", () => {
        const { x: delta_x, y: delta_y } = wheel;
        wheel = { x: 0, y: 0 };
        const { buttons, ...point } = { ...pagePoint(event), buttons: event.buttons & 31 };
        const modifiers = modifiersOf(event);
        send({
          type: "mouse",
          action: "wheel",
          ...point,
          button: "none",
          buttons,
          click_count: 0,
          delta_x,
          delta_y,
          modifiers,
        });
      });
    },
    { passive: false },
  );

  for (const [name, action] of [
    ["touchstart", "start"],
    ["touchmove", "move"],
    ["touchend", "end"],
    ["touchcancel", "cancel"],
  ] as const)
    canvas.addEventListener(
      name,
      (event) => {
        if (!holds()) return action === "end" && refused();
        event.preventDefault(); // else the browser tells of it once more, as a mouse
        const points = [...event.targetTouches]
          .slice(0, 10)
          .map((touch) => ({ ...pagePoint(touch), id: touch.identifier }));
        const report = () =>
          send({ type: "touch", action, points: action === "cancel" ? [] : points, modifiers: modifiersOf(event) });
        if (action === "move") return soon("touch", report);
        flush();
        report();
      },
      { passive: false },
    );
}
