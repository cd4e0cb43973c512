import { roleAndName } from "./names.ts";

/** Numbers given to elements, for as long as the document lives. `prefix` tells this document from others of its tab. */
let prefix = "";
let last = 0;
const numbers = new WeakMap<Element, number>();
const elements = new Map<number, WeakRef<Element>>();

export const setPrefix = (given: string): void => void (prefix = given);

/** Refs of elements that are no more are let go when there are many. */
let sweepAt = 50_000;
function sweep(): void {
  for (const [number, element] of elements) if (!element.deref()) elements.delete(number);
  sweepAt = Math.max(50_000, 2 * elements.size);
}

export function refOf(element: Element): string {
  let number = numbers.get(element);
  if (number === undefined) {
    number = ++last;
    numbers.set(element, number);
    elements.set(number, new WeakRef(element));
    if (elements.size >= sweepAt) sweep();
  }
  return `${prefix}e${number}`;
}

/** The element of a ref of this document; null when it left the page, undefined when there never was such a ref. */
export function elementOf(ref: string): Element | null | undefined {
  const match = /^((?:f\d+)?)e(\d+)$/.exec(ref);
  if (!match || match[1] !== prefix) return undefined;
  const known = elements.get(Number(match[2]));
  if (!known) return undefined;
  const element = known.deref();
  return element?.isConnected ? element : null;
}

/** `button "Go"`, or the tag with what tells it apart. */
export function describe(element: Element): string {
  const { role, name } = roleAndName(element);
  const tag = element.tagName.toLowerCase();
  const id = element.id ? ` id=${JSON.stringify(element.id.slice(0, 60))}` : "";
  const classes = element.getAttribute("class")?.trim().slice(0, 60);
  const marks = `<${tag}${id}${classes && !id ? ` class=${JSON.stringify(classes)}` : ""}>`;
  return role ? `${role}${name ? ` ${JSON.stringify(name.slice(0, 80))}` : ""} ${marks}` : marks;
}
