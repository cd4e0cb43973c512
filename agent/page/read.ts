import { elementAt, isInside, isVisible, normalize, parentOf } from "./dom.ts";
import { frame } from "./ready.ts";
import { roleAndName } from "./names.ts";
import { describe, refOf } from "./refs.ts";
import { byText, matcherOf } from "./selector.ts";
import { refuse, resolve, select, type Target } from "./target.ts";

export type Found = { ref: string; role: string | null; name: string; text: string; visible: boolean };
/** Words shown around what was found, characters. */
const AROUND = 300;

/** The smallest elements whose text matches, and how many there are in all. */
export function find(
  words: string | null,
  pattern: { source: string; flags: string } | null,
  limit: number,
): { items: Found[]; total: number } {
  const matches = matcherOf(pattern ? `/${pattern.source}/${pattern.flags}` : words!);
  const found = byText(document, matches);
  return {
    total: found.length,
    items: found.slice(0, limit).map((element) => ({
      ref: refOf(element),
      ...roleAndName(element),
      text: normalize(element.textContent ?? "").slice(0, AROUND),
      visible: isVisible(element),
    })),
  };
}

export type Link = { ref: string; text: string; url: string };

export function links(limit: number): { items: Link[]; total: number } {
  const found = select("a[href], area[href]") as (HTMLAnchorElement | HTMLAreaElement | SVGAElement)[];
  return {
    total: found.length,
    items: found.slice(0, limit).map((element) => ({
      ref: refOf(element),
      text: roleAndName(element).name,
      url: addressOf(element).slice(0, 8_192),
    })),
  };
}

/** A link of SVG keeps it as it was written. */
function addressOf({ href, baseURI }: HTMLAnchorElement | HTMLAreaElement | SVGAElement): string {
  if (typeof href === "string") return href;
  return URL.canParse(href.baseVal, baseURI) ? new URL(href.baseVal, baseURI).href : href.baseVal;
}

/** Looks at every frame drawn, no longer than `sliceMs`. */
export async function waitFor(wanted: Parameters<typeof holds>[0], sliceMs: number): Promise<boolean> {
  const end = performance.now() + sliceMs;
  while (!holds(wanted)) {
    if (performance.now() > end) return false;
    await frame();
  }
  return true;
}

/** What a wait asks for, looked at once. */
function holds(wanted: { selector?: string; state?: string; text?: string; text_gone?: string }): boolean {
  if (wanted.selector !== undefined) {
    const found = select(wanted.selector);
    switch (wanted.state) {
      case "attached":
        return found.length > 0;
      case "detached":
        return found.length === 0;
      case "hidden":
        return !found.some(isVisible);
      default:
        return found.some(isVisible);
    }
  }
  const shown = (words: string) => byText(document, matcherOf(words)).some(isVisible);
  return wanted.text !== undefined ? shown(wanted.text) : !shown(wanted.text_gone!);
}

/** The box of an element in the viewport of its frame, scrolled into view. */
export function boxOf(target: Target): { x: number; y: number; width: number; height: number } {
  const element = resolve(target);
  (element as Element & { scrollIntoViewIfNeeded(center: boolean): void }).scrollIntoViewIfNeeded(true);
  const { x, y, width, height } = element.getBoundingClientRect();
  if (width === 0 || height === 0) refuse("element_hidden", `${describe(element)} has no box to be drawn`);
  return { x, y, width, height };
}

/**
 * Where a frame's own viewport begins in the one around it, how it is scaled there, and its size, as its own document counts.
 * `turned`: that does not say where its points are, since something turns, skews or unevenly scales it.
 */
export function frameBox(ref: string): {
  x: number;
  y: number;
  scale: number;
  width: number;
  height: number;
  turned: boolean;
} {
  const element = resolve({ ref }) as HTMLElement;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const scale = element.offsetWidth > 0 ? box.width / element.offsetWidth : 1;
  const edge = (side: "Left" | "Top" | "Right" | "Bottom") =>
    parseFloat(style[`border${side}Width`]) + parseFloat(style[`padding${side}`]);
  const isBorderBox = style.boxSizing === "border-box";
  return {
    x: box.x + edge("Left") * scale,
    y: box.y + edge("Top") * scale,
    scale,
    width: parseFloat(style.width) - (isBorderBox ? edge("Left") + edge("Right") : 0),
    height: parseFloat(style.height) - (isBorderBox ? edge("Top") + edge("Bottom") : 0),
    turned: isTurned(element),
  };
}

/** A matrix that moves and scales evenly. */
const EVEN = /^matrix\(([\d.]+), 0, 0, \1, [^,]+, [^,]+\)$/;

function isTurned(element: Element): boolean {
  for (let at: Element | null = element; at; at = parentOf(at)) {
    const { transform, rotate, scale, translate, offsetPath } = getComputedStyle(at);
    if (transform !== "none" && !EVEN.test(transform)) return true;
    if ([rotate, scale, translate, offsetPath].some((value) => value && value !== "none")) return true;
  }
  return false;
}

/** Whether a point of this viewport belongs to a frame. @throws Refused `element_covered` */
export function reachesFrame(ref: string, x: number, y: number): void {
  const element = resolve({ ref });
  const hit = elementAt(x, y);
  if (!isInside(hit, element))
    refuse(
      "element_covered",
      `the frame is covered by ${hit ? describe(hit) : "nothing of this page"} at ${Math.round(x)}, ${Math.round(y)}`,
    );
}

const bounded = (text: string, maxChars: number): string | number => (text.length > maxChars ? text.length : text);

/** The text a part of the page shows, or the whole page; its length where it is too long. */
export function textOf(target: Target | null, maxChars: number): string | number {
  const element = target ? resolve(target) : (document.body ?? document.documentElement);
  return bounded((element as HTMLElement | null)?.innerText ?? element?.textContent ?? "", maxChars);
}

export function htmlOf(target: Target | null, maxChars: number): string | number {
  if (target) return bounded(resolve(target).outerHTML, maxChars);
  const doctype = document.doctype ? `${new XMLSerializer().serializeToString(document.doctype)}\n` : "";
  return bounded(doctype + (document.documentElement?.outerHTML ?? ""), maxChars);
}

export function scrollBy(target: Target, dx: number, dy: number): void {
  let element: Element | null = resolve(target);
  while (element && !isScroller(element)) element = element.parentElement;
  (element ?? document.scrollingElement ?? document.documentElement).scrollBy({
    left: dx,
    top: dy,
    behavior: "instant",
  });
}

const isScroller = (element: Element) =>
  /auto|scroll|overlay/.test(getComputedStyle(element).overflowY + getComputedStyle(element).overflowX) &&
  (element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth);

export const intoView = (target: Target): void =>
  (resolve(target) as Element & { scrollIntoViewIfNeeded(center: boolean): void }).scrollIntoViewIfNeeded(true);
