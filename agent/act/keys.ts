import { HypeError } from "../../src/contract/index.ts";

/** What DevTools' Input.dispatchKeyEvent says of one key of a US keyboard (W3C UI Events key and code values). */
export type Key = { key: string; code: string; keyCode: number; text?: string; location?: number; shift?: boolean };

export const MODIFIERS = { Alt: 1, Control: 2, Meta: 4, Shift: 8 } as const;
export type Modifier = keyof typeof MODIFIERS;

/** key: code, Windows virtual key code, text, location. */
const NAMED: Record<string, [code: string, keyCode: number, text?: string, location?: number]> = {
  Backspace: ["Backspace", 8], Tab: ["Tab", 9], Enter: ["Enter", 13, "\r"], Escape: ["Escape", 27], Space: ["Space", 32, " "],
  PageUp: ["PageUp", 33], PageDown: ["PageDown", 34], End: ["End", 35], Home: ["Home", 36], ArrowLeft: ["ArrowLeft", 37],
  ArrowUp: ["ArrowUp", 38], ArrowRight: ["ArrowRight", 39], ArrowDown: ["ArrowDown", 40], Insert: ["Insert", 45],
  Delete: ["Delete", 46], Shift: ["ShiftLeft", 16, "", 1], Control: ["ControlLeft", 17, "", 1], Alt: ["AltLeft", 18, "", 1],
  Meta: ["MetaLeft", 91, "", 1], ContextMenu: ["ContextMenu", 93], CapsLock: ["CapsLock", 20], NumLock: ["NumLock", 144],
  ScrollLock: ["ScrollLock", 145], Pause: ["Pause", 19], PrintScreen: ["PrintScreen", 44],
}; // prettier-ignore
const ALIASES: Record<string, string> = {
  Esc: "Escape", Del: "Delete", Ins: "Insert", Return: "Enter", " ": "Space", Up: "ArrowUp", Down: "ArrowDown", Left: "ArrowLeft",
  Right: "ArrowRight", Ctrl: "Control", Cmd: "Meta", Command: "Meta", Option: "Alt", ControlOrMeta: "Control",
  ShiftLeft: "Shift", ControlLeft: "Control", AltLeft: "Alt", MetaLeft: "Meta", "\n": "Enter", "\r": "Enter", "\t": "Tab",
}; // prettier-ignore
/** code: virtual key code, character, character with Shift. */
const PUNCTUATION: Record<string, [keyCode: number, plain: string, shifted: string]> = {
  Backquote: [192, "`", "~"], Minus: [189, "-", "_"], Equal: [187, "=", "+"], BracketLeft: [219, "[", "{"],
  BracketRight: [221, "]", "}"], Backslash: [220, "\\", "|"], Semicolon: [186, ";", ":"], Quote: [222, "'", '"'],
  Comma: [188, ",", "<"], Period: [190, ".", ">"], Slash: [191, "/", "?"],
}; // prettier-ignore
const SHIFTED_DIGITS = ")!@#$%^&*(";

const KEYS = new Map<string, Key>();
for (const [key, [code, keyCode, text, location]] of Object.entries(NAMED))
  KEYS.set(key, {
    key: key === "Space" ? " " : key,
    code,
    keyCode,
    ...(text ? { text } : {}),
    ...(location ? { location } : {}),
  });
for (let i = 1; i <= 24; i++) KEYS.set(`F${i}`, { key: `F${i}`, code: `F${i}`, keyCode: 111 + i });
const character = (text: string, code: string, keyCode: number, shift = false) => {
  KEYS.set(text, { key: text, code, keyCode, text, shift });
  if (!shift) KEYS.set(code, KEYS.get(text)!);
};
for (let i = 0; i < 26; i++) {
  const letter = String.fromCharCode(97 + i);
  character(letter, `Key${letter.toUpperCase()}`, 65 + i);
  character(letter.toUpperCase(), `Key${letter.toUpperCase()}`, 65 + i, true);
}
for (let i = 0; i < 10; i++) {
  character(String(i), `Digit${i}`, 48 + i);
  character(SHIFTED_DIGITS[i]!, `Digit${i}`, 48 + i, true);
  KEYS.set(`Numpad${i}`, { key: String(i), code: `Numpad${i}`, keyCode: 96 + i, text: String(i), location: 3 });
}
for (const [code, [keyCode, plain, shifted]] of Object.entries(PUNCTUATION)) {
  character(plain, code, keyCode);
  character(shifted, code, keyCode, true);
}
for (const [alias, name] of Object.entries(ALIASES)) KEYS.set(alias, KEYS.get(name)!);

/** The key of a US keyboard that makes a character, if one does. */
export const keyOf = (name: string): Key | undefined => KEYS.get(name);

/**
 * `Control+Shift+K` -> its modifiers and its key; a lone `+` is the plus key.
 * @param held modifiers that are down already
 * @throws HypeError `invalid_request` for a key no keyboard has
 */
export function parseChord(
  chord: string,
  held: ReadonlySet<Modifier> = new Set(),
): { modifiers: Modifier[]; key: Key } {
  const parts = chord.length > 1 ? chord.split(/\+(?=.)/s) : [chord];
  const last = parts.pop()!;
  const modifiers = parts.map((part): Modifier => {
    const { key } = mustKnow(part);
    if (Object.hasOwn(MODIFIERS, key)) return key as Modifier;
    throw new HypeError(
      "invalid_request",
      `${part} in ${JSON.stringify(chord)} is no modifier: there are Alt, Control, Meta, Shift`,
    );
  });
  const key = mustKnow(last);
  const shifted = (modifiers.includes("Shift") || held.has("Shift")) && !key.shift ? withShift(key) : key;
  // Control+A means the key A, not a capital one.
  return {
    modifiers,
    key:
      key.shift && modifiers.length > 0 && !modifiers.includes("Shift") && /^[A-Z]$/.test(key.key)
        ? keyOf(key.key.toLowerCase())!
        : shifted,
  };
}

/** The other character of a key. */
function withShift(key: Key): Key {
  for (const other of KEYS.values()) if (other.shift && other.code === key.code) return other;
  return key;
}

function mustKnow(name: string): Key {
  const key = keyOf(name) ?? ([...name].length === 1 ? { key: name, code: "", keyCode: 0, text: name } : undefined);
  if (key) return key;
  throw new HypeError(
    "invalid_request",
    `there is no key ${JSON.stringify(name)}: write a character or a name like Enter, Tab, Escape, ArrowDown, PageUp, F5, Control+A`,
  );
}
