import type { LiveFrame } from "../contract/index.ts";
import { element } from "./element.ts";

const canvas = element<HTMLCanvasElement>("picture");
const context = canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
/** What the last picture shows: CSS pixels of the page. */
let shown: { width: number; height: number } | null = null;

/** Draws a picture, and says so when it is there, drawn or not: the next one comes only then. */
export async function draw(head: LiveFrame, image: Blob, done: (frame: number) => void): Promise<void> {
  try {
    const bitmap = await createImageBitmap(image);
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    shown = { width: head.width, height: head.height };
    lay();
  } catch {
    // no image: the one before stays
  } finally {
    done(head.frame);
  }
}

/** The picture as large as the window lets it be, and no larger than the page is. */
function lay(): void {
  const stage = element("stage");
  if (!shown) return;
  const scale = Math.min(1, stage.clientWidth / shown.width, stage.clientHeight / shown.height);
  const [width, height] = [`${Math.round(shown.width * scale)}px`, `${Math.round(shown.height * scale)}px`];
  if (canvas.style.width === width && canvas.style.height === height) return;
  canvas.style.width = width;
  canvas.style.height = height;
}
new ResizeObserver(lay).observe(element("stage"));

/** A point of the window in CSS pixels of the page; outside of the picture it lies outside of the page. */
export function pagePoint({ clientX, clientY }: { clientX: number; clientY: number }): { x: number; y: number } {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const size = shown ?? { width, height };
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    x: round(((clientX - left) * size.width) / (width || 1)),
    y: round(((clientY - top) * size.height) / (height || 1)),
  };
}

/** The point of the window that shows a point of the page. */
export function windowPoint({ x, y }: { x: number; y: number }): { x: number; y: number } {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const size = shown ?? { width, height };
  return { x: left + (x * width) / (size.width || 1), y: top + (y * height) / (size.height || 1) };
}

/** Cursors by name only: an address would be fetched. */
export function showCursor(cursor: string): void {
  canvas.style.cursor = /^[a-z-]{1,20}$/.test(cursor) ? cursor : "default";
}
