import * as v from "valibot";
import { Choices, type ControlCommand, PICKERS } from "../../src/contract/index.ts";
import { askDocuments } from "./documents.ts";
import type { Screen } from "./screen.ts";

type Choose = Extract<ControlCommand, { type: "choose" }>;
const PATIENCE_MS = 3_000;

/** Runs in each document: the element whose picker is open, which is also the one that has the focus. */
const PICKER = `
  let field = document.activeElement;
  while (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
  if (!field?.matches("select, input") || !field.matches(":open")) return null;`;
const LOOK = `(() => {${PICKER}
  const cut = (text, length) => String(text).replace(/\\s+/g, " ").trim().slice(0, length);
  if (field.tagName === "SELECT") return {
    options: [...field.options].slice(0, 1000).map((option) => {
      const group = option.parentElement?.tagName === "OPTGROUP" ? option.parentElement : null;
      return { label: cut(option.label, 256), group: cut(group?.label ?? "", 256), selected: option.selected, disabled: option.disabled || !!group?.disabled };
    }),
    field: null,
  };
  if (!${JSON.stringify(PICKERS)}.includes(field.type)) return null;
  const { type, value, min, max, step } = field;
  return { options: [], field: { type, value: cut(value, 64), min: cut(min, 64), max: cut(max, 64), step: cut(step, 64) } };
})()`;
/** What a person picks is told to the page as the browser does: `input`, then `change`, where it is something else than before. */
const CHOOSE = `(({ option, value }) => {${PICKER}
  const before = field.tagName === "SELECT" ? field.selectedIndex : field.value;
  field.blur(); // closes the picker
  field.focus();
  if (field.tagName === "SELECT" && option !== undefined && field.options[option] && !field.options[option].matches(":disabled"))
    field.selectedIndex = option;
  if (field.tagName === "INPUT" && value !== undefined) field.value = value;
  if ((field.tagName === "SELECT" ? field.selectedIndex : field.value) === before) return true;
  field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
})`;

/** The picker that is open in a tab after a click there; null where none is, or the page does not answer. */
export async function openChoices(screen: Screen, { x, y }: { x: number; y: number }): Promise<Choices | null> {
  const found = await askDocuments(screen, LOOK, AbortSignal.timeout(PATIENCE_MS)).catch(() => null);
  const told = v.safeParse(Choices, { x, y, ...(found as object | null) });
  return told.success ? told.output : null;
}

/** Picks from the picker that is open, and closes it. */
export async function choose(screen: Screen, { option, value }: Choose): Promise<void> {
  await askDocuments(screen, `${CHOOSE}(${JSON.stringify({ option, value })})`, AbortSignal.timeout(PATIENCE_MS));
}
