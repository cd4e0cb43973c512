import { elementAt, isDisabled, isInside, isVisible } from "./dom.ts";
import { describe } from "./refs.ts";
import { type Refusal, Refused, refuse, resolve, type Target } from "./target.ts";

export type Wanted = {
  visible?: boolean;
  enabled?: boolean;
  editable?: boolean;
  /** Its box stands still and receives what is done at a point of it. */
  point?: boolean;
  /** The point asked for, CSS pixels from the box's upper left corner; the middle when absent. */
  at?: { x: number; y: number };
  /** No checks but for its being there. */
  force?: boolean;
};
/** Viewport of this frame, CSS pixels. */
export type Ready = { ok: true; x: number; y: number } | ({ ok: false } & Refusal);

/** An animation frame, or a moment where there are none (a tab nobody draws). */
const FRAME_MS = 50;
export const frame = () =>
  new Promise<void>((next) => {
    const timer = setTimeout(next, FRAME_MS);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      next();
    });
  });
const ALIGN: ScrollIntoViewOptions[] = [
  { block: "center", inline: "center", behavior: "instant" },
  { block: "end", inline: "end", behavior: "instant" },
  { block: "start", inline: "start", behavior: "instant" },
];

/**
 * Waits until an element can be acted upon, no longer than `sliceMs`. It scrolls at the beginning only: a caller may be gone
 * before the slice ends, and the page must not move under the next one.
 * @param attempt how many slices went before: what is covered where it stands may be free elsewhere
 * @returns where, or what stood in the way last
 */
export async function ready(target: Target, wanted: Wanted, attempt: number, sliceMs: number): Promise<Ready> {
  const end = performance.now() + sliceMs;
  for (let first = true; ; first = false) {
    try {
      return { ok: true, ...(await tryOnce(target, wanted, first ? attempt : null)) };
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      if (thrown.refusal.final || performance.now() > end) return { ok: false, ...thrown.refusal };
    }
    await frame();
  }
}

async function tryOnce(target: Target, wanted: Wanted, attempt: number | null): Promise<{ x: number; y: number }> {
  const element = resolve(target);
  if (!wanted.force) {
    if (wanted.visible && !isVisible(element)) refuse("element_hidden", `${describe(element)} is not visible`);
    if (wanted.enabled && isDisabled(element)) refuse("element_disabled", `${describe(element)} is disabled`);
    if (wanted.editable && isReadOnly(element)) refuse("element_disabled", `${describe(element)} is read-only`);
  }
  if (!wanted.point) return { x: 0, y: 0 };
  if (!wanted.force) await standsStill(element);
  if (attempt !== null) scrollTo(element, wanted.at, attempt);
  const point = pointOf(element, wanted.at);
  if (!wanted.force) receives(element, point);
  return point;
}

const isReadOnly = (element: Element) =>
  (element as HTMLInputElement).readOnly === true || element.getAttribute("aria-readonly") === "true";

async function standsStill(element: Element): Promise<void> {
  const before = element.getBoundingClientRect();
  await frame();
  const after = element.getBoundingClientRect();
  const moved = (["x", "y", "width", "height"] as const).some((side) => before[side] !== after[side]);
  if (moved || !element.isConnected) refuse("element_moving", `${describe(element)} does not stand still`);
}

function scrollTo(element: Element, at: Wanted["at"], attempt: number): void {
  const { x, y } = pointOf(element, at);
  if (isInside(elementAt(x, y), element)) return;
  if (attempt === 0)
    (element as Element & { scrollIntoViewIfNeeded(center: boolean): void }).scrollIntoViewIfNeeded(true);
  else element.scrollIntoView(ALIGN[attempt % ALIGN.length]); // something lies on it: perhaps not where it stands elsewhere
}

/** The middle of the first box that is there to be hit. */
export function pointOf(element: Element, at?: { x: number; y: number }): { x: number; y: number } {
  const boxes = [...element.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
  const box = boxes[0] ?? element.getBoundingClientRect();
  if (at) return { x: box.x + at.x, y: box.y + at.y };
  const left = Math.max(box.left, 0);
  const top = Math.max(box.top, 0);
  const right = Math.min(box.right, innerWidth);
  const bottom = Math.min(box.bottom, innerHeight);
  if (right <= left || bottom <= top) return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}

function receives(element: Element, { x, y }: { x: number; y: number }): void {
  if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight)
    refuse("element_hidden", `${describe(element)} cannot be scrolled into the viewport`);
  const hit = elementAt(x, y);
  if (isInside(hit, element)) return;
  const label = hit?.closest("label");
  if (label && label.control === element) return;
  if (element instanceof HTMLLabelElement && hit && element.control === hit) return;
  refuse(
    "element_covered",
    `${describe(element)} is covered by ${hit ? describe(hit) : "nothing of this page"} at ${Math.round(x)}, ${Math.round(y)}`,
  );
}
