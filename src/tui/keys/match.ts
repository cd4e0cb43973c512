import type { State } from "../state/state.ts";
import { BINDINGS, type Binding, type Where } from "./bindings.ts";

/** What a terminal says of a key, as OpenTUI reads it. */
export type Key = { name: string; ctrl: boolean; shift: boolean; meta: boolean; sequence: string };

const NAMES: Record<string, string> = { enter: "return", linefeed: "return", kpenter: "return", esc: "escape" };

/** The name bindings use: `ctrl+p`, `G`, `shift+tab`, `pagedown`. */
export function nameOf(key: Key): string {
  const name = NAMES[key.name] ?? key.name;
  if (key.ctrl || key.meta) return `${key.ctrl ? "ctrl+" : ""}${key.meta ? "alt+" : ""}${name}`;
  if (name === "space") return "space";
  // A letter with shift is its capital; of signs the character itself counts, wherever the keyboard has it.
  const typed = printable(key);
  if (typed !== null) return typed;
  return key.shift ? `shift+${name}` : name;
}

/** What the key types; null when it types nothing. */
export function printable({ sequence, name, ctrl, meta, shift }: Key): string | null {
  if (ctrl || meta) return null;
  if (name === "space") return " ";
  const typed = /^\P{Cc}+$/u.test(sequence) && !sequence.startsWith("\u001b") ? sequence : null;
  if (typed !== null) return typed;
  if (/^\P{Cc}$/u.test(name)) return shift ? name.toUpperCase() : name;
  return null;
}

/** Nothing was ever heard of the server: there is nothing to show but that. */
export const isOffline = ({ connection }: State): boolean => !connection.loaded && connection.status !== "online";

/** Where keys go: to the overlay when there is one, else to the screen. */
export const whereOf = (state: State): Where =>
  state.overlay?.kind ?? (isOffline(state) ? "offline" : state.screen.name);

const SCREENS: ReadonlySet<Where> = new Set<Where>(["fleet", "vm", "events", "offline"]);

/** The bindings that hold here: of the overlay when there is one, else of the screen and of all screens; then everywhere's. */
export const bindingsFor = (where: Where, state: State): Binding[] =>
  BINDINGS.filter(
    ({ where: places, when }) =>
      (places.includes(where) || places.includes("everywhere") || (SCREENS.has(where) && places.includes("screens"))) &&
      (when?.(state) ?? true),
  );

export function findBinding(where: Where, key: string, state: State): Binding | null {
  const found = bindingsFor(where, state).filter(({ keys }) => keys.includes(key));
  return found.find((binding) => binding.where.includes(where)) ?? found[0] ?? null;
}

/** What a terminal would say of a key with this name. */
export function keyNamed(name: string): Key {
  const parts = name.split("+");
  const last = parts.at(-1) ?? "";
  const isTyped = [...last].length === 1;
  return {
    name: last.toLowerCase(),
    sequence: isTyped ? last : "",
    ctrl: parts.includes("ctrl"),
    meta: parts.includes("alt"),
    shift: parts.includes("shift") || (isTyped && last !== last.toLowerCase()),
  };
}

const LABELS: Record<string, string> = {
  return: "⏎",
  escape: "esc",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  pageup: "pgup",
  pagedown: "pgdn",
};
/** A key as it is shown to people. */
export const keyLabel = (key: string): string =>
  key
    .split("+")
    .map((part) => LABELS[part] ?? part)
    .join("-");
