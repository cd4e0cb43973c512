import type { ControlCommand } from "../../src/contract/index.ts";
import { keyOf } from "../act/keys.ts";
import type { Screen } from "./screen.ts";

type Command<T extends ControlCommand["type"]> = Extract<ControlCommand, { type: T }>;
type Button = Command<"mouse">["button"];

/** Moves of a page that takes them slowly are left out beyond so many: only the last of those that wait reaches the page anyway. */
const MAX_MOVES = 16;
/** A page caught in a loop takes nothing: what a person does beyond so many is dropped. */
const MAX_WAITING = 512;
const TYPES = { move: "mouseMoved", down: "mousePressed", up: "mouseReleased", wheel: "mouseWheel" } as const;
const TOUCHES = { start: "touchStart", move: "touchMove", end: "touchEnd", cancel: "touchCancel" } as const;

/**
 * Mouse, keyboard and fingers of one watcher on one tab. Orders go out as they come and none is waited for: Chromium takes them in
 * order, and one that opens a dialog is answered only when the dialog is.
 */
export class Controls {
  #waiting = new Map<Promise<unknown>, number>(); // since when
  #buttons = new Set<Button>();
  #keys = new Map<string, Command<"key">>(); // by code
  #at = { x: 0, y: 0 };
  #isTouching = false;

  /** @param failed is told of an order that Chromium refused */
  constructor(
    private readonly screen: Screen,
    private readonly failed: (thrown: unknown) => void,
  ) {}

  mouse({ action, x, y, button, buttons, click_count, delta_x, delta_y, modifiers }: Command<"mouse">): void {
    if (action === "move" && this.#waiting.size >= MAX_MOVES) return;
    this.#at = { x, y };
    if (action === "down") this.#buttons.add(button);
    if (action === "up") this.#buttons.delete(button);
    const wheel = action === "wheel" ? { deltaX: delta_x, deltaY: delta_y } : {};
    this.#order("Input.dispatchMouseEvent", {
      type: TYPES[action],
      x,
      y,
      button,
      buttons,
      clickCount: click_count,
      modifiers,
      ...wheel,
    });
  }

  key(command: Command<"key">): void {
    const { action, key, code, modifiers } = command;
    const isRepeat = this.#keys.has(code);
    if (action === "down") this.#keys.set(code, command);
    else this.#keys.delete(code);
    const text = action === "down" ? typed(command) : "";
    this.#order("Input.dispatchKeyEvent", {
      type: action === "up" ? "keyUp" : text ? "keyDown" : "rawKeyDown",
      key,
      code,
      windowsVirtualKeyCode: keyCode(key, code),
      modifiers,
      ...(text && { text, unmodifiedText: text }),
      ...(action === "down" && isRepeat && { autoRepeat: true }),
      ...location(code),
    });
  }

  touch({ action, points, modifiers }: Command<"touch">): void {
    // A finger that is lifted while others stay is, to DevTools, a move of those that stay.
    const type = action === "cancel" ? "cancel" : points.length === 0 ? "end" : action === "end" ? "move" : action;
    if (type === "end" && !this.#isTouching) return;
    this.#isTouching = type !== "end" && type !== "cancel";
    this.#order("Input.dispatchTouchEvent", {
      type: TOUCHES[type],
      touchPoints: this.#isTouching ? points : [],
      modifiers,
    });
  }

  text(text: string): void {
    this.#order("Input.insertText", { text });
  }

  /** Resolves when the page took what was ordered so far, or after `patienceMs`. */
  async settled(patienceMs: number): Promise<void> {
    if (this.#waiting.size > 0) await Promise.race([Promise.allSettled(this.#waiting.keys()), Bun.sleep(patienceMs)]);
  }

  /** Whether the page has not taken an order for so long. */
  isStuck(forMs: number): boolean {
    const [oldest = Infinity] = this.#waiting.values();
    return performance.now() - oldest > forMs;
  }

  /** Lets go of whatever is held down. */
  release(): void {
    for (const button of [...this.#buttons])
      this.mouse({
        type: "mouse",
        action: "up",
        ...this.#at,
        button,
        buttons: 0,
        click_count: 1,
        delta_x: 0,
        delta_y: 0,
        modifiers: 0,
      });
    for (const command of [...this.#keys.values()]) this.key({ ...command, action: "up", text: "", modifiers: 0 });
    if (this.#isTouching) this.touch({ type: "touch", action: "cancel", points: [], modifiers: 0 });
  }

  #order(...[method, params]: InputOrder): void {
    if (this.#waiting.size >= MAX_WAITING) return;
    const sent = this.screen.send(method, params).then(
      () => {},
      (thrown: unknown) => this.failed(thrown),
    );
    this.#waiting.set(sent, performance.now());
    void sent.then(() => this.#waiting.delete(sent));
  }
}

type InputMethod =
  "Input.dispatchMouseEvent" | "Input.dispatchKeyEvent" | "Input.dispatchTouchEvent" | "Input.insertText";
type InputOrder = { [M in InputMethod]: Parameters<typeof Screen.prototype.send<M>> }[InputMethod];

/** With Control, Alt or Meta alone a key types nothing; AltGr is both, and does. */
function typed({ key, text, modifiers }: Command<"key">): string {
  const [alt, control, meta] = [modifiers & 1, modifiers & 2, modifiers & 4];
  if (meta || (control && !alt) || (alt && !control)) return "";
  return key === "Enter" ? "\r" : text;
}

/** The layout's key where a US keyboard has it too, else the key at that place; the numeric keypad has keys of its own. */
function keyCode(key: string, code: string): number {
  const keypad = code.startsWith("Numpad") ? keyOf(code) : undefined;
  return (keypad ?? keyOf(key) ?? keyOf(code.replace(/Right$/, "Left")))?.keyCode ?? 0;
}

/** `KeyboardEvent.location`: 1 left, 2 right, 3 numeric keypad. */
function location(code: string): { location?: number; isKeypad?: boolean } {
  if (code.startsWith("Numpad")) return { location: 3, isKeypad: true };
  const side = /^(?:Shift|Control|Alt|Meta)(Left|Right)$/.exec(code)?.[1];
  return side === undefined ? {} : { location: side === "Left" ? 1 : 2 };
}
