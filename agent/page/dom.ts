/** The page's tree as it is rendered: shadow roots in their hosts' place, slotted nodes in their slots' place. */

/** First and next child in the rendered tree would need bookkeeping: a list is as fast for the few children a node has. */
export function childrenOf(node: Element | ShadowRoot): ArrayLike<Node> {
  if (node instanceof Element) {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    if (node instanceof HTMLSlotElement) {
      const assigned = node.assignedNodes();
      if (assigned.length > 0) return assigned;
    }
  }
  return node.childNodes;
}

export function parentOf(element: Element): Element | null {
  if (element.assignedSlot) return element.assignedSlot;
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Whether `inner` is `outer` or rendered inside it. */
export function isInside(inner: Element | null, outer: Element): boolean {
  for (let at = inner; at; at = parentOf(at)) if (at === outer) return true;
  return false;
}

/** The document and every open shadow root in it. */
export function rootsOf(root: Document | ShadowRoot | Element): (Document | ShadowRoot | Element)[] {
  const found = [root];
  if (root instanceof Element && root.shadowRoot) found.push(...rootsOf(root.shadowRoot));
  for (const element of root.querySelectorAll("*")) if (element.shadowRoot) found.push(...rootsOf(element.shadowRoot));
  return found;
}

/** The topmost element at a point of the viewport, shadow roots looked into. */
export function elementAt(x: number, y: number): Element | null {
  let found = document.elementFromPoint(x, y);
  while (found?.shadowRoot) {
    const inner = found.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === found) break;
    found = inner;
  }
  return found;
}

export const normalize = (text: string): string =>
  text
    .replace(/[\u200b\u00ad]/g, "")
    .replace(/\s+/g, " ")
    .trim();

/** Has a box and is neither `display: none`, hidden by `visibility`, nor in a closed `<details>`. */
export function isVisible(element: Element): boolean {
  if (element.ownerDocument.defaultView && getComputedStyle(element).display === "contents")
    return Array.from(childrenOf(element)).some((child) =>
      child instanceof Element ? isVisible(child) : child instanceof Text && hasBox(child),
    );
  if (!element.checkVisibility({ visibilityProperty: true })) return false;
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0;
}

function hasBox(text: Text): boolean {
  const range = document.createRange();
  range.selectNode(text);
  const { width, height } = range.getBoundingClientRect();
  return width > 0 && height > 0;
}

/** Disabled itself or by a `<fieldset>`, or `aria-disabled` on it or around it. */
export const isDisabled = (element: Element): boolean => element.matches(":disabled") || ariaDisabled(element);

function ariaDisabled(element: Element): boolean {
  for (let at: Element | null = element; at; at = parentOf(at)) {
    const given = at.getAttribute("aria-disabled");
    if (given !== null) return given.toLowerCase() === "true";
  }
  return false;
}

/** Glyphs of icon fonts, which say nothing. */
const PRIVATE_USE = /[\u{e000}-\u{f8ff}\u{f0000}-\u{10ffff}]/gu;

/** What a style sheet puts before or after an element's content, in words (css-content-3); its alternative text where it has one. */
export function generated(element: Element, where: "::before" | "::after"): string {
  const { content, display } = getComputedStyle(element, where);
  if (content === "none" || content === "normal" || content === "" || display === "none") return "";
  const alternative = content
    .replaceAll(/url\("[^"]*"\)/g, "")
    .split(/ \/ (?=")/)
    .at(-1)!;
  const words = [...alternative.matchAll(/"((?:[^"\\]|\\[^])*)"/g)].map(([, word]) =>
    word!.replaceAll(/\\([^])/g, "$1"),
  );
  const text = words.join("").replaceAll(PRIVATE_USE, "");
  return display === "inline" ? text : ` ${text} `;
}
