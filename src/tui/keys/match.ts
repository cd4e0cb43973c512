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

/** The bindings that hold here: of the overlay when there is one, else of the screen, then everywhere's. */
export const bindingsFor = (where: Where): Binding[] =>
  BINDINGS.filter((binding) => binding.where.includes(where) || binding.where.includes("everywhere"));

export const findBinding = (where: Where, key: string): Binding | null =>
  BINDINGS.find((binding) => binding.where.includes(where) && binding.keys.includes(key)) ??
  BINDINGS.find((binding) => binding.where.includes("everywhere") && binding.keys.includes(key)) ??
  null;

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
