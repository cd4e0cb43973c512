import { childrenOf, generated, isDisabled, normalize } from "./dom.ts";
import { authoredName, nameOf } from "./names.ts";
import { refOf } from "./refs.ts";
import { levelOf, roleOf } from "./roles.ts";
import { value, quotedKey } from "./yaml.ts";

type Node = {
  role: string;
  name: string;
  element: Element;
  marks: string;
  boxed: boolean;
  pointer: boolean;
  props: string[];
  children: (Node | string)[];
};

export type FrameSnapshot = {
  yaml: string;
  /** Elements that were left out because the limit was reached; 0 when all is there. */
  leftOut: number;
  /** Frames in it: the ref of each, the line its content goes below, how deep that stands. */
  frames: { ref: string; line: number; depth: number }[];
};

/** Deeper than this nothing is looked at: Chromium's parser itself stops at 512. */
const MAX_DEPTH = 400;
/** Named by all their content in words; that content is shown below them instead, unless it is nothing but words. */
const HOLDERS = new Set("cell columnheader gridcell row rowheader treeitem".split(" "));
const SKIPPED = /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE|HEAD|META|LINK|TITLE|BR|WBR|SOURCE|TRACK|PARAM|COL|COLGROUP)$/i;

class Builder {
  visited = 0;
  spent = 0;
  constructor(private readonly maxChars: number) {}

  get full(): boolean {
    return this.spent > this.maxChars;
  }

  /** What an element contributes to its parent: itself, or its children where it means nothing. */
  element(element: Element, depth: number, pointer: boolean, seen: boolean): (Node | string)[] {
    if (this.full || depth > MAX_DEPTH || SKIPPED.test(element.tagName)) return [];
    this.visited += 1;
    const style = getComputedStyle(element);
    const optionOfMenu = isInMenu(element);
    if (element.tagName === "LEGEND" && element.parentElement?.tagName === "FIELDSET") return []; // it is the group's name
    if (!optionOfMenu && (style.display === "none" || !element.checkVisibility()))
      return style.display === "contents" ? this.children(element, depth, pointer, seen) : [];
    const visible = style.visibility === "visible";
    const role = visible ? roleOf(element) : null;
    const points = visible && style.cursor === "pointer";
    const node: Node = {
      role: role ?? "generic",
      name: "",
      element,
      marks: "",
      boxed: visible && !optionOfMenu,
      pointer: points && !pointer,
      props: [],
      children: [],
    };
    const hiddenHere = visible && !seen && element.getAttribute("aria-hidden") === "true";
    node.children =
      role === "img" || role === "iframe" || element.tagName === "INPUT"
        ? []
        : this.children(element, depth, pointer || points, seen || hiddenHere, visible);
    if (role === null) return this.#generic(node, style, hiddenHere);
    this.#describe(node, role);
    this.spent += node.role.length + node.name.length + 2 * Math.min(depth, 20) + 20;
    return [node];
  }

  children(element: Element, depth: number, pointer: boolean, seen: boolean, visible = true): (Node | string)[] {
    const built: (Node | string)[] = [];
    let text = visible ? generated(element, "::before") : "";
    const flush = () => {
      const clean = normalize(text);
      text = "";
      if (clean === "") return;
      this.spent += clean.length + 8;
      built.push(clean);
    };
    const closed = element instanceof HTMLDetailsElement && !element.open;
    const list = closed ? element.querySelectorAll(":scope > summary:first-of-type") : childrenOf(element);
    for (let i = 0; i < list.length; i++) {
      const child = list[i]!;
      if (child instanceof Text) {
        if (visible) text += child.data;
      } else if (child instanceof Element) {
        if (child.tagName === "BR") text += " ";
        const part = this.element(child, depth + 1, pointer, seen);
        for (const item of part)
          if (typeof item === "string") text += item;
          else {
            flush();
            built.push(item);
          }
      }
    }
    if (visible) text += generated(element, "::after");
    flush();
    return built;
  }

  /** An element without meaning is left out where its children can stand for it. */
  #generic(node: Node, style: CSSStyleDeclaration, ariaHidden: boolean): (Node | string)[] {
    const { children, element } = node;
    const words = children.every((child) => typeof child === "string");
    const name = authoredName(element);
    if (name || node.pointer || ariaHidden || element === document.activeElement) {
      if (children.length === 0 && !name && !node.pointer) return [];
      node.name = name;
      node.marks = (ariaHidden ? " [aria-hidden]" : "") + this.#active(element);
      if (children.length === 1 && typeof children[0] !== "string" && !name && !ariaHidden && node.marks === "") {
        children[0]!.pointer ||= node.pointer;
        return children;
      }
      return [node];
    }
    if (children.length === 0) return [];
    if (style.display.startsWith("inline") || style.display === "contents")
      return words ? [spaced(children as string[], style)] : children;
    if (children.length === 1 && typeof children[0] !== "string") return children;
    return [node];
  }

  #describe(node: Node, role: string): void {
    const { element } = node;
    const words = node.children.every((child) => typeof child === "string");
    if (HOLDERS.has(role)) {
      node.name = authoredName(element) || (words ? node.children.join(" ").slice(0, 1000) : "");
      if (words) node.children = [];
    } else {
      node.name = nameOf(element, role);
      if (node.name && plainWords(node.children) === node.name) node.children = [];
      else if (node.name) node.children = node.children.filter((child) => child !== node.name);
    }
    node.marks = this.#marks(element, role);
    if (role === "link") node.props.push(`/url: ${value((element.getAttribute("href") ?? "").slice(0, 2_000))}`);
    const placeholder = element.getAttribute("placeholder");
    if (placeholder && normalize(placeholder) !== node.name)
      node.props.push(`/placeholder: ${value(normalize(placeholder))}`);
    const held = heldBy(element, role);
    if (held !== null) node.children = held === "" ? [] : [held];
  }

  #active = (element: Element) => (element === document.activeElement && document.hasFocus() ? " [active]" : "");

  #marks(element: Element, role: string): string {
    let marks = "";
    const checked = checkedOf(element, role);
    if (checked) marks += checked === "mixed" ? " [checked=mixed]" : " [checked]";
    if (isDisabled(element)) marks += " [disabled]";
    if (expandedOf(element)) marks += " [expanded]";
    marks += this.#active(element);
    const level = role === "heading" ? levelOf(element) || 2 : Number(element.getAttribute("aria-level")) || 0;
    if (level) marks += ` [level=${level}]`;
    const pressed = role === "button" ? element.getAttribute("aria-pressed") : null;
    if (pressed === "true" || pressed === "mixed") marks += pressed === "mixed" ? " [pressed=mixed]" : " [pressed]";
    if (element instanceof HTMLOptionElement ? element.selected : element.getAttribute("aria-selected") === "true")
      marks += " [selected]";
    return marks;
  }
}

/** What the children say, where they are nothing but words; else null. */
function plainWords(children: (Node | string)[]): string | null {
  const words = children.map((child) => {
    if (typeof child === "string") return child;
    const means = child.role !== "generic" || child.name || child.marks || child.pointer || child.props.length > 0;
    return means ? null : plainWords(child.children);
  });
  return words.includes(null) ? null : normalize(words.join(" "));
}

/** An option of a closed drop-down: it has no box, yet it is there to be chosen. */
const isInMenu = (element: Element): boolean => {
  if (!(element instanceof HTMLOptionElement || element instanceof HTMLOptGroupElement)) return false;
  const select = element.closest("select");
  return select !== null && !select.multiple && select.size <= 1;
};

/** Inline-block words do not run into their neighbours. */
const spaced = (words: string[], style: CSSStyleDeclaration): string =>
  style.display === "inline" ? words.join(" ") : ` ${words.join(" ")} `;

export function checkedOf(element: Element, role: string | null): boolean | "mixed" {
  if (element instanceof HTMLInputElement && (element.type === "checkbox" || element.type === "radio"))
    return element.indeterminate ? "mixed" : element.checked;
  if (!role || !/^(checkbox|radio|switch|menuitemcheckbox|menuitemradio|option|treeitem)$/.test(role)) return false;
  const given = element.getAttribute("aria-checked");
  return given === "mixed" ? "mixed" : given === "true";
}

export function expandedOf(element: Element): boolean {
  if (element instanceof HTMLDetailsElement) return element.open;
  if (element.tagName === "SUMMARY" && element.parentElement instanceof HTMLDetailsElement)
    return element.parentElement.open;
  return element.getAttribute("aria-expanded") === "true";
}

/** What a control holds; null for what is no control. Secrets are not read out. */
function heldBy(element: Element, role: string): string | null {
  if (element instanceof HTMLInputElement) {
    if (element.type === "password") return element.value && "••••";
    if (element.type === "file") return [...(element.files ?? [])].map(({ name }) => name).join(", ");
    return ["textbox", "searchbox", "combobox", "spinbutton", "slider"].includes(role) ? element.value : "";
  }
  if (element instanceof HTMLTextAreaElement) return element.value;
  if (element instanceof HTMLProgressElement || element instanceof HTMLMeterElement) return String(element.value);
  return null;
}

/** @param root the part to show; the whole document when null */
export function snapshot(root: Element | null, maxChars: number): FrameSnapshot {
  const builder = new Builder(maxChars);
  const top = root ?? document.body ?? document.documentElement;
  const built = top ? builder.element(top, 0, false, false) : [];
  const lines: string[] = [];
  const frames: FrameSnapshot["frames"] = [];
  for (const item of built) write(item, 0, lines, frames);
  const all = builder.full ? (root ?? document).querySelectorAll("*").length : 0;
  return { yaml: lines.join("\n"), leftOut: builder.full ? Math.max(1, all - builder.visited) : 0, frames };
}

function write(item: Node | string, depth: number, lines: string[], frames: FrameSnapshot["frames"]): void {
  const indent = "  ".repeat(depth);
  if (typeof item === "string") return void lines.push(`${indent}- text: ${value(item)}`);
  const ref = item.boxed ? refOf(item.element) : null;
  const key = `${item.role}${item.name ? ` ${JSON.stringify(item.name)}` : ""}${item.marks}${ref ? ` [ref=${ref}]` : ""}${item.pointer ? " [cursor=pointer]" : ""}`;
  const { props, children } = item;
  if (props.length === 0 && children.length === 1 && typeof children[0] === "string")
    return void lines.push(`${indent}- ${quotedKey(key)}: ${value(children[0])}`);
  const isFrame = item.role === "iframe" && ref !== null;
  lines.push(`${indent}- ${quotedKey(key)}${props.length + children.length > 0 ? ":" : ""}`);
  if (isFrame) frames.push({ ref, line: lines.length - 1, depth: depth + 1 });
  for (const prop of props) lines.push(`${indent}  - ${prop}`);
  for (const child of children) write(child, depth + 1, lines, frames);
}
