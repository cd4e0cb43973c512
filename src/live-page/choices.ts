import type { Choices, ControlCommand } from "../contract/index.ts";
import { element } from "./element.ts";
import { focusPage } from "./focus.ts";
import { windowPoint } from "./picture.ts";

const MAX_LINES = 12;
const panel = element("choices");
const list = element<HTMLSelectElement>("choices-list");
const field = element<HTMLInputElement>("choices-field");

/** A picker of the page in the VM, which no picture of the page shows: a list, or a field of the same type. */
export function showChoices(choices: Choices | null, mayChoose: boolean): void {
  panel.hidden = choices === null || !mayChoose;
  if (choices === null || panel.hidden) return;
  list.hidden = choices.field !== null;
  element("choices-entry").hidden = choices.field === null;
  if (choices.field) Object.assign(field, choices.field);
  else {
    list.replaceChildren(...linesOf(choices.options));
    list.size = Math.max(2, Math.min(MAX_LINES, list.querySelectorAll("option, optgroup").length));
  }
  place(choices);
  (choices.field ? field : list).focus();
}

function linesOf(options: Choices["options"]): HTMLElement[] {
  const lines: HTMLElement[] = [];
  let group: HTMLOptGroupElement | null = null;
  for (const [place, { label, group: name, selected, disabled }] of options.entries()) {
    const option = new Option(label || "\u00a0", String(place), selected, selected);
    option.disabled = disabled;
    if (name === "") group = null;
    else if (group?.label !== name) {
      group = document.createElement("optgroup");
      group.label = name;
      lines.push(group);
    }
    if (group) group.append(option);
    else lines.push(option);
  }
  return lines;
}

/** Below where it was clicked, as far as there is room. */
function place(choices: Choices): void {
  const stage = element("stage").getBoundingClientRect();
  const { x, y } = windowPoint(choices);
  const within = (wanted: number, room: number) => `${Math.max(4, Math.min(wanted, room - 4))}px`;
  panel.style.left = within(x - stage.left, stage.width - panel.offsetWidth);
  panel.style.top = within(y - stage.top + 12, stage.height - panel.offsetHeight);
}

export function watchChoices(send: (command: ControlCommand) => void): void {
  const answer = (picked: { option?: number; value?: string }) => {
    if (panel.hidden) return;
    panel.hidden = true;
    send({ type: "choose", ...picked });
    focusPage();
  };
  const pickLine = () => list.value !== "" && answer({ option: Number(list.value) });
  list.addEventListener("click", ({ target }) => target instanceof HTMLOptionElement && pickLine());
  // A phone shows its own list, and tells only of the change.
  list.addEventListener("change", () => matchMedia("(pointer: coarse)").matches && pickLine());
  element("choices-accept").addEventListener("click", () => answer({ value: field.value }));
  element("choices-cancel").addEventListener("click", () => answer({}));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") answer({});
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (event.target === list) pickLine();
    else if (event.target === field) answer({ value: field.value });
  });
  addEventListener("mousedown", ({ target }) => panel.contains(target as Node) || answer({}), { capture: true });
}
