import { CommandRefused } from "../cdp/connection.ts";
import { gone, type PageDocument, PageRefusal } from "./document.ts";

export type Point = { x: number; y: number };
type Size = { width: number; height: number };
/** Nine numbers, row by row: a plane onto another, perspective included. */
type Matrix = readonly number[];

/** Below it two sides of a frame lie on each other, CSS pixels squared. */
const FLAT = 1e-6;

/**
 * How points of a frame's viewport lie in the viewport of the document around it. A frame that is turned, skewed, unevenly scaled or
 * tilted is asked of Chromium, where its corners are.
 * @throws PageRefusal `element_unsuitable` for a frame seen from its edge | `element_hidden` for one that is not drawn | DocumentGone
 */
export async function frameMap(
  { document, ref }: { document: PageDocument; ref: string },
  signal: AbortSignal,
): Promise<(point: Point) => Point> {
  const box = await document.call("frameBox", [ref], signal);
  if (!box.turned) return ({ x, y }) => ({ x: box.x + x * box.scale, y: box.y + y * box.scale });
  const inner = await cornersOf(document, ref, box, signal);
  const around = document.outer;
  // Corners are told in the viewport of the process' uppermost document, which may lie further out than this one.
  if (!around || around.document.session !== document.session) return (point) => mapped(inner, point, ref);
  const outer = inverse(await cornersOf(around.document, around.ref, await sizeOf(around, signal), signal));
  return (point) => mapped(outer, mapped(inner, point, ref), ref);
}

const sizeOf = ({ document, ref }: { document: PageDocument; ref: string }, signal: AbortSignal): Promise<Size> =>
  document.call("frameBox", [ref], signal);

async function cornersOf(document: PageDocument, ref: string, size: Size, signal: AbortSignal): Promise<Matrix> {
  try {
    const objectId = await document.handle("element", [{ ref }], signal);
    const { model } = await gone(document.session.send("DOM.getBoxModel", { objectId }, signal));
    return fromCorners(model.content, size, ref);
  } catch (thrown) {
    if (thrown instanceof CommandRefused)
      throw new PageRefusal("element_hidden", `the frame ${ref} is not drawn: ${thrown.detail}`, false);
    throw thrown;
  }
}

/**
 * A rectangle of this size onto four corners, clockwise from its upper left one (P. Heckbert, Fundamentals of Texture Mapping and
 * Image Warping, 1989, section 2.2.3).
 */
function fromCorners(corners: readonly number[], { width, height }: Size, ref: string): Matrix {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = corners as [number, number, number, number, number, number, number, number];
  const [dx1, dx2, dx3] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, dy3] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const area = dx1 * dy2 - dx2 * dy1;
  if (!(Math.abs(area) > FLAT) || width <= 0 || height <= 0) throw edgeOn(ref);
  const g = (dx3 * dy2 - dx2 * dy3) / area;
  const h = (dx1 * dy3 - dx3 * dy1) / area;
  return [
    (x1 - x0 + g * x1) / width, (x3 - x0 + h * x3) / height, x0,
    (y1 - y0 + g * y1) / width, (y3 - y0 + h * y3) / height, y0,
    g / width, h / height, 1,
  ]; // prettier-ignore
}

/** As far as points go: not divided by the determinant, which {@link mapped} would take out again. */
function inverse(matrix: Matrix): Matrix {
  const [a, b, c, d, e, f, g, h, i] = matrix as [
    number, number, number, number, number, number, number, number, number,
  ]; // prettier-ignore
  const adjugate = [
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ]; // prettier-ignore
  const sign = Math.sign(a * adjugate[0]! + b * adjugate[3]! + c * adjugate[6]!);
  return adjugate.map((value) => value * sign);
}

function mapped([a, b, c, d, e, f, g, h, i]: Matrix, { x, y }: Point, ref: string): Point {
  const depth = g! * x + h! * y + i!;
  if (!(depth > 0)) throw edgeOn(ref); // behind whoever looks
  return { x: (a! * x + b! * y + c!) / depth, y: (d! * x + e! * y + f!) / depth };
}

const edgeOn = (ref: string) =>
  new PageRefusal("element_unsuitable", `the frame ${ref} is turned so that no point of it is seen`, true);
