import type { ControlCommand } from "../contract/index.ts";
import { element } from "./element.ts";
import { IS_MAC, modifiersOf } from "./modifiers.ts";

/** Stands in the field, so that a phone's keyboard has something to delete. */
const FILLING = "\u200b";
/** Left to the browser the page is seen in. */
const NOT_OURS = new Set(["F11", "F12"]);

export type Typist = {
  holds(): boolean;
  send(command: ControlCommand): void;
  /** The selection of the page is wanted on the clipboard of this machine. */
  copy(cut: boolean): void;
  /** F6: out of the page, for those who have no mouse. */
  leave(): void;
};

/**
 * The keyboard: a field nobody sees has the focus while the picture has it for the eye. Keys go as keys; what an input method composes, a
 * phone's keyboard writes or the clipboard holds goes as text.
 */
export function watchKeyboard({ holds, send, copy, leave }: Typist): void {
  const field = element<HTMLTextAreaElement>("keys");
  const pressed = new Map<string, KeyboardEvent>();
  let isComposing = false;

  const tell = (action: "down" | "up", event: Pick<KeyboardEvent, "key" | "code">, text = "", modifiers = 0) =>
    send({ type: "key", action, key: event.key.slice(0, 32), code: event.code.slice(0, 32), text, modifiers });
  const stroke = (key: string) => {
    tell("down", { key, code: key }, key === "Enter" ? "\r" : "");
    tell("up", { key, code: key });
  };
  const write = (text: string) => text && send({ type: "text", text });
  const refill = () => {
    field.value = FILLING;
    field.setSelectionRange(1, 1);
  };

  field.addEventListener("focus", refill);
  field.addEventListener("keydown", (event) => {
    if (!holds() || isComposing || event.isComposing || event.keyCode === 229 || event.key === "Dead") return;
    if (event.key === "F6") {
      event.preventDefault();
      return leave();
    }
    const isAltGraph = event.getModifierState("AltGraph");
    const isCommand = (IS_MAC ? event.metaKey : event.ctrlKey) && !isAltGraph;
    const letter = event.key.toLowerCase();
    if (NOT_OURS.has(event.key) || (isCommand && !event.altKey && letter === "v")) return; // a paste comes as such
    event.preventDefault();
    if (isCommand && !event.altKey && !event.shiftKey && (letter === "c" || letter === "x"))
      return copy(letter === "x");
    if (event.key === "Unidentified") return;
    pressed.set(event.code, event);
    const types =
      [...event.key].length === 1 && ((!event.ctrlKey && !event.metaKey && !(event.altKey && !IS_MAC)) || isAltGraph);
    const modifiers = types && (isAltGraph || IS_MAC) ? modifiersOf(event) & 8 : modifiersOf(event);
    tell("down", event, types ? event.key.slice(0, 8) : event.key === "Enter" ? "\r" : "", modifiers);
  });
  field.addEventListener("keyup", (event) => {
    if (!pressed.delete(event.code)) return;
    event.preventDefault();
    tell("up", event, "", modifiersOf(event));
    // With Command held, macOS tells of no other key that is let go.
    if (IS_MAC && event.key === "Meta") letGo();
  });
  const letGo = () => {
    for (const event of pressed.values()) tell("up", event);
    pressed.clear();
  };
  field.addEventListener("blur", letGo);

  field.addEventListener("compositionstart", () => (isComposing = true));
  field.addEventListener("compositionend", ({ data }) => {
    isComposing = false;
    if (holds()) write(data);
    refill();
  });
  field.addEventListener("input", (raw) => {
    const { inputType, data, isComposing: composes } = raw as InputEvent;
    if (composes || isComposing || inputType === "insertFromComposition" || inputType === "insertCompositionText")
      return;
    if (holds()) {
      if (inputType.startsWith("deleteContentBackward") || inputType === "deleteWordBackward") stroke("Backspace");
      else if (inputType === "insertLineBreak" || inputType === "insertParagraph") stroke("Enter");
      else write(data ?? "");
    }
    refill();
  });
  field.addEventListener("paste", (event) => {
    event.preventDefault();
    if (holds()) write(event.clipboardData?.getData("text/plain").slice(0, 262_144) ?? "");
  });
}
