import type { TabSession } from "../browser/tabs.ts";
import { pause } from "../browser/deadline.ts";
import { type Key, keyOf, MODIFIERS, type Modifier, parseChord } from "./keys.ts";

export type Button = "left" | "middle" | "right" | "back" | "forward";
type Point = { x: number; y: number };
/** Bits of `buttons` (UI Events, MouseEvent.buttons). */
const BITS: Record<Button, number> = { left: 1, right: 2, middle: 4, back: 8, forward: 16 };

/**
 * Mouse and keyboard of one tab, as a person's hands: where the pointer is and what is held down lasts from call to call.
 * Orders of one gesture are sent without waiting in between: Chromium takes them in order.
 */
export class Input {
  #at: Point = { x: 0, y: 0 };
  #buttons = 0;
  #held = new Set<Modifier>();

  constructor(private readonly tab: TabSession) {}

  async move(to: Point, steps: number, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    const { x, y } = this.#at;
    // One after the other: of moves that wait together Chromium tells the page the last only.
    for (let i = 1; i <= steps; i++) {
      this.#at = { x: x + ((to.x - x) * i) / steps, y: y + ((to.y - y) * i) / steps };
      await this.#mouse("mouseMoved", this.#at, "none", 0, modifiers, signal);
    }
  }

  async click(at: Point, button: Button, count: number, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    const orders = [this.#mouse("mouseMoved", at, "none", 0, modifiers, signal)];
    this.#at = at;
    for (let n = 1; n <= count; n++)
      orders.push(this.#press(button, n, modifiers, signal), this.#release(button, n, modifiers, signal));
    await all(orders);
  }

  down(button: Button, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    return this.#press(button, 1, modifiers, signal);
  }

  up(button: Button, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    return this.#release(button, 1, modifiers, signal);
  }

  async wheel(at: Point, deltaX: number, deltaY: number, signal: AbortSignal): Promise<void> {
    this.#at = at;
    await this.tab.send(
      "Input.dispatchMouseEvent",
      { type: "mouseWheel", ...at, deltaX, deltaY, modifiers: this.#mask([]) },
      signal,
    );
  }

  /** Presses and releases a key, with what is held around it. @throws HypeError `invalid_request` for a key that does not exist */
  async press(chord: string, count: number, delayMs: number, signal: AbortSignal): Promise<void> {
    const { modifiers, key } = parseChord(chord, this.#held);
    for (let i = 0; i < count; i++) {
      if (i > 0 && delayMs > 0) await pause(delayMs, signal);
      const orders = modifiers.map((name) => this.#down(keyOf(name)!, modifiers, signal));
      orders.push(this.#down(key, modifiers, signal), this.#up(key, modifiers, signal));
      for (const name of modifiers.toReversed()) orders.push(this.#up(keyOf(name)!, [], signal));
      await all(orders);
    }
  }

  async keyDown(name: string, signal: AbortSignal): Promise<void> {
    const { key } = parseChord(name, this.#held);
    if (Object.hasOwn(MODIFIERS, key.key)) this.#held.add(key.key as Modifier);
    await this.#down(key, [], signal);
  }

  async keyUp(name: string, signal: AbortSignal): Promise<void> {
    const { key } = parseChord(name, this.#held);
    this.#held.delete(key.key as Modifier);
    await this.#up(key, [], signal);
  }

  /** Key by key; what no key makes is put in as an input method would. */
  async type(text: string, delayMs: number, signal: AbortSignal): Promise<void> {
    let orders: Promise<unknown>[] = [];
    for (const char of text.replaceAll("\r\n", "\n")) {
      const key = keyOf(char);
      if (key) orders.push(this.#down(key, key.shift ? ["Shift"] : [], signal), this.#up(key, [], signal));
      else orders.push(this.tab.send("Input.insertText", { text: char }, signal));
      if (delayMs === 0 && orders.length < MAX_IN_FLIGHT) continue;
      await all(orders);
      orders = [];
      if (delayMs > 0) await pause(delayMs, signal);
    }
    await all(orders);
  }

  async insert(text: string, signal: AbortSignal): Promise<void> {
    await this.tab.send("Input.insertText", { text }, signal);
  }

  #press(button: Button, clickCount: number, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    this.#buttons |= BITS[button];
    return this.#mouse("mousePressed", this.#at, button, clickCount, modifiers, signal);
  }

  #release(button: Button, clickCount: number, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    this.#buttons &= ~BITS[button];
    return this.#mouse("mouseReleased", this.#at, button, clickCount, modifiers, signal);
  }

  async #mouse(
    type: "mouseMoved" | "mousePressed" | "mouseReleased",
    at: Point,
    button: Button | "none",
    clickCount: number,
    modifiers: Modifier[],
    signal: AbortSignal,
  ): Promise<void> {
    const pressed = (Object.keys(BITS) as Button[]).find((name) => this.#buttons & BITS[name]);
    await this.tab.send(
      "Input.dispatchMouseEvent",
      {
        type,
        ...at,
        button: button === "none" ? (pressed ?? "none") : button,
        buttons: this.#buttons,
        clickCount,
        modifiers: this.#mask(modifiers),
      },
      signal,
    );
  }

  async #down(key: Key, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    const mask = this.#mask(modifiers);
    // With Control, Alt or Meta a key makes no text.
    const text = mask & ~MODIFIERS.Shift ? undefined : key.text;
    await this.tab.send(
      "Input.dispatchKeyEvent",
      {
        type: text ? "keyDown" : "rawKeyDown",
        ...described(key),
        modifiers: mask,
        ...(text ? { text, unmodifiedText: text } : {}),
      },
      signal,
    );
  }

  async #up(key: Key, modifiers: Modifier[], signal: AbortSignal): Promise<void> {
    await this.tab.send(
      "Input.dispatchKeyEvent",
      { type: "keyUp", ...described(key), modifiers: this.#mask(modifiers) },
      signal,
    );
  }

  #mask(modifiers: Modifier[]): number {
    return [...this.#held, ...modifiers].reduce((mask, name) => mask | MODIFIERS[name], 0);
  }
}

/** Keys on their way at once: a page that takes them slowly makes the rest wait here. */
const MAX_IN_FLIGHT = 64;

const described = ({ key, code, keyCode, location }: Key) => ({
  key,
  code,
  windowsVirtualKeyCode: keyCode,
  ...(location === undefined ? {} : { location, isKeypad: location === 3 }),
});

/** The first failure is the one to tell; none may stay unheard. */
async function all(orders: Promise<unknown>[]): Promise<void> {
  await Promise.all(orders);
}
