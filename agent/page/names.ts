import { childrenOf, generated, normalize } from "./dom.ts";
import { roleOf } from "./roles.ts";

/** Roles that are named by what stands in them (WAI-ARIA 1.2, 5.2.8.6). */
const FROM_CONTENT = new Set(
  (
    "button cell checkbox columnheader gridcell heading link menuitem menuitemcheckbox menuitemradio option radio row rowheader " +
    "switch tab tooltip treeitem"
  ).split(" "),
);
/** Text of a page that names something longer than this is cut, characters. */
const MAX_NAME = 1_000;

/** The accessible name (accname-1.2). */
export function nameOf(element: Element, role: string | null): string {
  return normalize(compute(element, role)).slice(0, MAX_NAME);
}

/** Only what its author said it is called: `aria-labelledby`, `aria-label`. */
export const authoredName = (element: Element): string => normalize(given(element)).slice(0, MAX_NAME);

function given(element: Element): string {
  const labelledBy = element.getAttribute("aria-labelledby");
  if (labelledBy) {
    const root = element.getRootNode() as Document | ShadowRoot;
    const parts = labelledBy.split(/\s+/).map((id) => (id ? root.getElementById?.(id) : null));
    const text = parts.map((part) => (part ? textOf(part, true) : "")).join(" ");
    if (text.trim()) return text;
  }
  return element.getAttribute("aria-label") ?? "";
}

function compute(element: Element, role: string | null): string {
  const authored = given(element);
  if (authored.trim()) return authored;
  const native = nativeName(element);
  if (native.trim()) return native;
  if (role && FROM_CONTENT.has(role)) {
    const text = contentText(element);
    if (text.trim()) return text;
  }
  return element.getAttribute("title") ?? element.getAttribute("placeholder") ?? "";
}

function nativeName(element: Element): string {
  if (element instanceof HTMLInputElement) {
    if (["button", "submit", "reset"].includes(element.type))
      return element.value || { submit: "Submit", reset: "Reset" }[element.type] || "";
    if (element.type === "image") return element.alt || element.value;
  }
  const labels = (element as HTMLInputElement).labels;
  if (labels?.length) return [...labels].map((label) => textOf(label, false, element)).join(" ");
  switch (element.tagName) {
    case "IMG":
    case "AREA":
      return element.getAttribute("alt") ?? "";
    case "FIELDSET":
      return textOfChild(element, "LEGEND");
    case "TABLE":
      return textOfChild(element, "CAPTION");
    case "FIGURE":
      return textOfChild(element, "FIGCAPTION");
    case "OPTGROUP":
      return element.getAttribute("label") ?? "";
    case "OPTION":
      return element.getAttribute("label") || element.textContent || "";
    case "svg":
      return [...element.children].find(({ tagName }) => tagName === "title")?.textContent ?? ""; // it has no box
    default:
      return "";
  }
}

const textOfChild = (element: Element, tag: string): string => {
  const child = [...element.children].find(({ tagName }) => tagName === tag);
  return child ? textOf(child, false) : "";
};

/** What an element says as a part of another's name. @param hidden whether it may be hidden: it was named on purpose */
function textOf(element: Element, hidden: boolean, except?: Element, depth = 0): string {
  if (element === except || depth > 50) return "";
  if (
    !hidden &&
    (element.getAttribute("aria-hidden") === "true" || !element.checkVisibility({ visibilityProperty: true }))
  )
    return "";
  if (depth > 0 || hidden) {
    const label = element.getAttribute("aria-label");
    if (label?.trim()) return label;
    if (
      element instanceof HTMLInputElement ||
      element instanceof HTMLTextAreaElement ||
      element instanceof HTMLSelectElement
    )
      return valueIn(element);
    const native = nativeName(element);
    if (native.trim()) return native;
  }
  return contentText(element, except, depth);
}

function contentText(element: Element, except?: Element, depth = 0): string {
  let text = generated(element, "::before");
  for (const child of Array.from(childrenOf(element))) {
    if (child instanceof Text) text += child.data;
    else if (child instanceof Element && !/^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(child.tagName)) {
      const part = textOf(child, false, except, depth + 1);
      // Blocks do not run into each other; asking for the style of every inline element would cost too much.
      text += /^(A|ABBR|B|BDI|CODE|EM|FONT|I|MARK|S|SMALL|SPAN|STRONG|SUB|SUP|U)$/.test(child.tagName)
        ? part
        : ` ${part} `;
    }
    if (text.length > 4 * MAX_NAME) break;
  }
  return text + generated(element, "::after");
}

/** A control inside a label speaks with its value (accname-1.2, 2C); one that holds a secret does not. */
function valueIn(control: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement): string {
  if (control instanceof HTMLSelectElement) return [...control.selectedOptions].map(({ text }) => text).join(" ");
  if (/^(checkbox|radio|password|hidden|file)$/.test(control.type)) return "";
  return control.value || nativeName(control);
}

export const roleAndName = (element: Element): { role: string | null; name: string } => {
  const role = roleOf(element);
  return { role, name: nameOf(element, role) };
};
