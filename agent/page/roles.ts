import { normalize } from "./dom.ts";

/** Roles by tag where nothing but the tag decides (HTML-AAM 1.0, section 3.5). */
const BY_TAG: Record<string, string> = {
  ARTICLE: "article", ASIDE: "complementary", BLOCKQUOTE: "blockquote", BUTTON: "button", CAPTION: "caption", CODE: "code",
  DATALIST: "listbox", DD: "definition", DEL: "deletion", DETAILS: "group", DFN: "term", DIALOG: "dialog", DT: "term",
  EM: "emphasis", FIELDSET: "group", FIGURE: "figure", H1: "heading", H2: "heading", H3: "heading", H4: "heading",
  H5: "heading", H6: "heading", HR: "separator", HTML: "document", IFRAME: "iframe", FRAME: "iframe", INS: "insertion",
  LI: "listitem", MAIN: "main", MARK: "mark", MATH: "math", MENU: "list", METER: "meter", NAV: "navigation", OL: "list",
  OPTGROUP: "group", OPTION: "option", OUTPUT: "status", P: "paragraph", PROGRESS: "progressbar", SEARCH: "search",
  STRONG: "strong", SUB: "subscript", SUP: "superscript", TABLE: "table", TBODY: "rowgroup", TFOOT: "rowgroup",
  THEAD: "rowgroup", TEXTAREA: "textbox", TIME: "time", TR: "row", UL: "list",
}; // prettier-ignore
const BY_INPUT_TYPE: Record<string, string> = {
  button: "button", submit: "button", reset: "button", image: "button", file: "button", color: "button",
  checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton",
}; // prettier-ignore
const KNOWN = new Set(
  (
    "alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox " +
    "complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic grid gridcell " +
    "group heading img image insertion link list listbox listitem log main mark marquee math meter menu menubar menuitem " +
    "menuitemcheckbox menuitemradio navigation none note option paragraph presentation progressbar radio radiogroup region row " +
    "rowgroup rowheader scrollbar search searchbox separator slider spinbutton status strong subscript superscript switch tab " +
    "table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem"
  ).split(" "),
);
const SECTIONING =
  "article, aside, main, nav, section, [role=article], [role=complementary], [role=main], [role=navigation], [role=region]";

/** The ARIA role, or null for an element without meaning of its own. */
export function roleOf(element: Element): string | null {
  const given = element.getAttribute("role");
  if (given)
    for (const token of given.toLowerCase().split(/\s+/)) {
      if (!KNOWN.has(token)) continue;
      if (token !== "none" && token !== "presentation") return token === "image" ? "img" : token;
      if (!isFocusable(element)) return null; // else the author's word is not taken (WAI-ARIA 1.2, 9.3)
    }
  return implicitRole(element);
}

function implicitRole(element: Element): string | null {
  const tag = element.tagName.toUpperCase();
  switch (tag) {
    case "A":
    case "AREA":
      return element.hasAttribute("href") ? "link" : null;
    case "INPUT":
      return inputRole(element as HTMLInputElement);
    case "SELECT": {
      const select = element as HTMLSelectElement;
      return select.multiple || select.size > 1 ? "listbox" : "combobox";
    }
    case "IMG":
      return element.getAttribute("alt") === "" && !element.hasAttribute("title") ? null : "img";
    case "SVG":
      return "img";
    case "CANVAS":
      return "canvas"; // not ARIA's, but something to point at
    case "HEADER":
      return element.closest(SECTIONING) ? null : "banner";
    case "FOOTER":
      return element.closest(SECTIONING) ? null : "contentinfo";
    case "SECTION":
      return isNamed(element) ? "region" : null;
    case "FORM":
      return isNamed(element) ? "form" : null;
    case "TBODY":
    case "THEAD":
    case "TFOOT":
    case "TR":
      return isForLayout(element.closest("table")) ? null : BY_TAG[tag]!;
    case "LI":
      return isForLayout(element.parentElement) ? null : "listitem";
    case "TD":
      if (isForLayout(element.closest("table"))) return null;
      return inGrid(element) ? "gridcell" : "cell";
    case "TH":
      if (isForLayout(element.closest("table"))) return null;
      return /^row/i.test(element.getAttribute("scope") ?? "") ? "rowheader" : "columnheader";
    default:
      return BY_TAG[tag] ?? null;
  }
}

function inputRole(input: HTMLInputElement): string | null {
  if (input.type === "hidden") return null;
  if (BY_INPUT_TYPE[input.type]) return BY_INPUT_TYPE[input.type]!;
  if (input.hasAttribute("list")) return "combobox";
  return input.type === "search" ? "searchbox" : "textbox";
}

/** A list or table that its author says is none: its parts are none either (WAI-ARIA 1.2, 7.1). */
const isForLayout = (owner: Element | null): boolean =>
  owner !== null && /^(none|presentation)$/.test(owner.getAttribute("role") ?? "") && !isFocusable(owner);
const inGrid = (cell: Element) =>
  ["grid", "treegrid"].includes(cell.closest("table, [role]")?.getAttribute("role") ?? "");
const isNamed = (element: Element) =>
  ["aria-label", "aria-labelledby", "title"].some((name) => normalize(element.getAttribute(name) ?? "") !== "");

export const isFocusable = (element: Element): boolean =>
  element.hasAttribute("tabindex") ||
  (element instanceof HTMLElement && element.isContentEditable) ||
  (element.matches("a[href], area[href], button, input:not([type=hidden]), select, textarea, iframe, summary") &&
    !element.matches(":disabled"));

export function levelOf(element: Element): number {
  const given = Number(element.getAttribute("aria-level"));
  if (Number.isInteger(given) && given > 0) return given;
  return /^H[1-6]$/i.test(element.tagName) ? Number(element.tagName[1]) : 0;
}
