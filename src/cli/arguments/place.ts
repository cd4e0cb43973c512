import { HypeError } from "../../contract/errors.ts";
import { element } from "./element.ts";

/** CSS pixels, of either sign. @throws HypeError usage */
export function pixels(flag: string, text: string): number {
  if (!/^-?\d{1,6}(\.\d+)?$/.test(text))
    throw new HypeError("usage", `${flag} ${JSON.stringify(text)}: expected pixels such as 300 or -300`, { flag });
  return Number(text);
}

/** `x,y` of the viewport, else an element. */
export function placeOrElement(text: string): { x: number; y: number } | ReturnType<typeof element> {
  const match = /^(-?\d{1,6}(?:\.\d+)?),(-?\d{1,6}(?:\.\d+)?)$/.exec(text);
  return match ? { x: Number(match[1]), y: Number(match[2]) } : element(text);
}

/** `x,y,width,height`. @throws HypeError usage */
export function rectangle(flag: string, text: string): { x: number; y: number; width: number; height: number } {
  const [x, y, width, height] = text
    .split(",")
    .map((part) => (/^\d{1,6}(\.\d+)?$/.test(part) ? Number(part) : undefined));
  if (x === undefined || y === undefined || width === undefined || height === undefined || text.split(",").length !== 4)
    throw new HypeError("usage", `${flag} ${JSON.stringify(text)}: expected x,y,width,height`, { flag });
  return { x, y, width, height };
}

/** A number above nothing; its limits are the server's business. @throws HypeError usage */
export function decimal(flag: string, text: string): number {
  if (!/^\d{1,6}(\.\d+)?$/.test(text))
    throw new HypeError("usage", `${flag} ${JSON.stringify(text)}: expected a number`, { flag });
  return Number(text);
}
