/** Private modes (DECSET, xterm's control sequences) that a program may leave switched: what is on before, and what is off. */
const ON_BEFORE = new Set([7, 25]);
const OFF_BEFORE = new Set([1, 5, 9, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004, 2026]);
/** Longest beginning of a sequence that is kept until the rest of it comes. */
const KEPT = 32;
// eslint-disable-next-line no-control-regex
const SWITCH = /\u001b\[\?([\d;]{1,24})([hl])/g;
// eslint-disable-next-line no-control-regex
const KEYBOARD = /\u001b\[(?:>\d*u|=[\d;]*u|>4;[12]m)/;

/** Follows what a guest's output does to the user's terminal, so that it can be undone when the guest does not. */
export class ModeWatch {
  readonly #switched = new Map<number, "h" | "l">();
  #rest = "";
  #hasKeyboard = false;

  see(bytes: Uint8Array): void {
    const text = this.#rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    for (const [, modes = "", to] of text.matchAll(SWITCH))
      for (const mode of modes.split(";").map(Number))
        if (ON_BEFORE.has(mode) || OFF_BEFORE.has(mode)) this.#switched.set(mode, to as "h" | "l");
    this.#hasKeyboard ||= KEYBOARD.test(text);
    const at = text.lastIndexOf("\u001b");
    this.#rest = at >= 0 && text.length - at < KEPT ? text.slice(at) : "";
  }

  /** What puts it back. Colours and the character set always; the other screen last, so that the cursor is where it was. */
  undo(): string {
    const wrong = [...this.#switched].filter(([mode, to]) => to !== (ON_BEFORE.has(mode) ? "h" : "l"));
    const back = wrong.toSorted(([a], [b]) => a - b).map(([mode, to]) => `\u001b[?${mode}${to === "h" ? "l" : "h"}`);
    // A sequence that was begun is ended by ST; keyboard modes: kitty's stack emptied, xterm's modifyOtherKeys off.
    return `\u001b\\${this.#hasKeyboard ? "\u001b[<99u\u001b[=0u\u001b[>4;0m" : ""}${back.join("")}\u001b[0m\u001b(B\u000f`;
  }
}
