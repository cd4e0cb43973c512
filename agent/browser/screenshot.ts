import { HypeError, type Screenshot } from "../../src/contract/index.ts";
import { CommandRefused, type Commands, type Params, type Result } from "../cdp/connection.ts";
import { frameMap, type Point } from "./frame-map.ts";
import { Frames } from "./frames.ts";
import { onPage, within } from "./page-call.ts";
import type { TabSession } from "./tabs.ts";

/** Skia's largest surface side, device pixels: beyond it Chromium repeats or drops parts of the page. */
const MAX_SIDE_PX = 16_384;

type Area = { x: number; y: number; width: number; height: number };

/**
 * Takes a command to a tab as the owner of what is emulated in it. Chromium gives a tab other metrics while it draws an area of it,
 * and gives back what the same session had set: from another one it would take away the device's own (seen in 156).
 */
export type EmulatedTab = {
  /** Device pixels per CSS pixel, where that is emulated. */
  deviceScale: number | null;
  answer<M extends keyof Commands>(method: M, params: Params<M>): Promise<Result<M>>;
};

/**
 * @param emulated null: nothing of ours is emulated in it
 * @returns the image's bytes in the format asked for.
 * @throws HypeError `result_too_large` for an area beyond what Chromium can draw, `operation_timeout`, as the search for an element
 */
export async function screenshot(
  tab: TabSession,
  request: Screenshot,
  signal: AbortSignal,
  emulated: EmulatedTab | null,
): Promise<Uint8Array> {
  try {
    const area = await areaOf(tab, request, emulated?.deviceScale ?? null, signal);
    const params: Params<"Page.captureScreenshot"> = {
      format: request.format,
      ...(request.quality === undefined || request.format === "png" ? {} : { quality: request.quality }),
      ...(area ? { captureBeyondViewport: true, clip: area } : {}),
    };
    const { data } =
      area && emulated
        ? await tab.within(emulated.answer("Page.captureScreenshot", params), signal)
        : await tab.send("Page.captureScreenshot", params, signal);
    return Buffer.from(data, "base64");
  } catch (thrown) {
    if (thrown instanceof CommandRefused)
      throw new HypeError("screenshot_failed", `Chromium took no screenshot: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}

/** What is to be drawn, from the page's upper left corner; null: the viewport as it is. */
async function areaOf(tab: TabSession, request: Screenshot, emulatedScale: number | null, signal: AbortSignal) {
  const element = request.ref !== undefined || request.selector !== undefined || request.frame !== undefined;
  if ([element, request.full_page, request.clip !== undefined].filter(Boolean).length > 1)
    throw new HypeError("invalid_request", "give one of full_page, clip and an element");
  if (!element && !request.full_page && !request.clip && request.scale === undefined) return null;
  const box = element ? await boxOf(tab, request, signal) : null;
  const { cssContentSize, contentSize, cssVisualViewport } = await tab.send("Page.getLayoutMetrics", undefined, signal);
  const { pageX, pageY, clientWidth, clientHeight } = cssVisualViewport;
  const deviceScale = emulatedScale ?? (cssContentSize.width > 0 ? contentSize.width / cssContentSize.width : 1);
  const area: Area = box
    ? { ...box, x: box.x + pageX, y: box.y + pageY }
    : request.full_page
      ? { x: 0, y: 0, width: cssContentSize.width, height: cssContentSize.height }
      : (request.clip ?? { x: pageX, y: pageY, width: clientWidth, height: clientHeight });
  const scale = request.scale === undefined ? 1 : request.scale / deviceScale;
  const [width, height] = [Math.ceil(area.width * scale * deviceScale), Math.ceil(area.height * scale * deviceScale)];
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX)
    throw new HypeError(
      "result_too_large",
      `the page is ${width}x${height} pixels, the limit is ${MAX_SIDE_PX} a side`,
    );
  return { ...area, scale };
}

function boxOf(tab: TabSession, request: Screenshot, signal: AbortSignal): Promise<Area> {
  return onPage(tab, signal, async () => {
    const { document, target } = await tab.frames.locate(request, signal);
    return within(target, async () => {
      const { x, y, width, height } = await document.call("boxOf", [target], signal);
      let corners: Point[] = [
        { x, y },
        { x: x + width, y },
        { x: x + width, y: y + height },
        { x, y: y + height },
      ];
      for (const frame of Frames.outwards(document)) corners = corners.map(await frameMap(frame, signal));
      const [xs, ys] = [corners.map((corner) => corner.x), corners.map((corner) => corner.y)];
      const [left, top] = [Math.min(...xs), Math.min(...ys)];
      return { x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
    });
  });
}
