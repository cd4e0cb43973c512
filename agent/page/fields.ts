import { describe } from "./refs.ts";
import { refuse, resolve, type Target } from "./target.ts";

/** What is done to controls from inside: the events a person's hand would cause follow each change. */

const changed = (element: Element) => {
  element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  element.dispatchEvent(new Event("change", { bubbles: true }));
};
const TYPED_TEXT = new Set(["", "text", "email", "number", "password", "search", "tel", "url"]);

/**
 * Readies a control for new text: its own text is selected, what is inserted next replaces it. Controls that take no typing
 * (dates, colours, sliders) get the value at once.
 * @returns what is left to do
 */
export function prepareFill(target: Target, text: string): "insert" | "delete" | "done" {
  const element = controlOf(resolve(target));
  if (element instanceof HTMLInputElement) {
    if (TYPED_TEXT.has(element.type)) {
      if (element.type === "number" && text !== "" && Number.isNaN(Number(text)))
        refuse(
          "element_unsuitable",
          `${describe(element)} takes a number, not ${JSON.stringify(text.slice(0, 80))}`,
          true,
        );
      element.focus();
      element.select();
      return text === "" ? (element.value === "" ? "done" : "delete") : "insert";
    }
    if (/^(date|time|datetime-local|month|week|color|range)$/.test(element.type)) {
      const before = element.value;
      element.value = text.trim();
      if (element.value !== text.trim()) {
        element.value = before;
        refuse(
          "element_unsuitable",
          `${describe(element)} does not take ${JSON.stringify(text.slice(0, 80))} as a ${element.type}`,
          true,
        );
      }
      element.focus();
      changed(element);
      return "done";
    }
    return refuse("element_unsuitable", `${describe(element)} is a ${element.type} and takes no text`, true);
  }
  if (element instanceof HTMLTextAreaElement) {
    element.focus();
    element.select();
    return text === "" ? (element.value === "" ? "done" : "delete") : "insert";
  }
  if (!(element as HTMLElement).isContentEditable)
    refuse(
      "element_unsuitable",
      `${describe(element)} takes no text: fill wants an input, a textarea or an editable element`,
      true,
    );
  (element as HTMLElement).focus();
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
  return text === "" ? ((element.textContent ?? "") === "" ? "done" : "delete") : "insert";
}

/** A label stands for its control. */
const controlOf = (element: Element): Element => (element instanceof HTMLLabelElement && element.control) || element;

/** @returns the values selected afterwards. @throws Refused `element_unsuitable` | `option_not_found` */
export function selectOptions(target: Target, wanted: string[]): string[] {
  const element = controlOf(resolve(target));
  if (!(element instanceof HTMLSelectElement))
    return refuse("element_unsuitable", `${describe(element)} is no <select>: click it and then the option`, true);
  if (wanted.length > 1 && !element.multiple)
    refuse("element_unsuitable", `${describe(element)} takes one value, ${wanted.length} were given`, true);
  const options = [...element.options];
  const chosen = wanted.map(
    (name) =>
      options.find(({ value }) => value === name) ??
      options.find(({ label, text }) => label.trim() === name.trim() || text.trim() === name.trim()) ??
      refuse(
        "option_not_found",
        `${describe(element)} has no option ${JSON.stringify(name)}; it has ${options
          .slice(0, 20)
          .map(({ label }) => JSON.stringify(label))
          .join(", ")}${options.length > 20 ? ", …" : ""}`,
      ),
  );
  for (const option of chosen)
    if (option.disabled) refuse("element_disabled", `the option ${JSON.stringify(option.label)} is disabled`);
  element.focus();
  if (element.multiple) for (const option of options) option.selected = chosen.includes(option);
  else if (chosen[0])
    element.value = chosen[0].value; // an option without a value of its own has its text for one
  else element.selectedIndex = -1;
  if (!element.multiple && chosen[0]) chosen[0].selected = true; // of twins with one value, the one named
  changed(element);
  return [...element.selectedOptions].map(({ value }) => value);
}

/** @throws Refused `element_unsuitable` for what cannot be checked */
export function checkState(target: Target): { checked: boolean; radio: boolean } {
  const element = controlOf(resolve(target));
  if (element instanceof HTMLInputElement && /^(checkbox|radio)$/.test(element.type))
    return { checked: element.checked, radio: element.type === "radio" };
  const given = element.getAttribute("aria-checked");
  if (given !== null) return { checked: given === "true", radio: element.getAttribute("role") === "radio" };
  return refuse(
    "element_unsuitable",
    `${describe(element)} is neither a checkbox nor a radio button nor a switch`,
    true,
  );
}

export function focus(target: Target): void {
  const element = controlOf(resolve(target)) as HTMLElement;
  element.focus();
  if (!element.matches(":focus, :focus-within, :host(:focus)") && element.getRootNode() === document)
    refuse("element_unsuitable", `${describe(element)} does not take the focus`, true);
}

/** The `<input type=file>` a target is or labels. */
export function fileInput(target: Target, count: number): HTMLInputElement {
  const element = controlOf(resolve(target));
  if (!(element instanceof HTMLInputElement) || element.type !== "file")
    return refuse("element_unsuitable", `${describe(element)} is no <input type=file>`, true);
  if (count > 1 && !element.multiple && !element.webkitdirectory)
    refuse("element_unsuitable", `${describe(element)} takes one file, ${count} were given`, true);
  return element;
}
