import { HypeError, type Screenshot } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { TabSession } from "./tabs.ts";

/** Skia's largest surface side, device pixels: beyond it Chromium repeats or drops parts of the page. */
const MAX_SIDE_PX = 16_384;

/**
 * @returns the image's bytes in the format asked for.
 * @throws HypeError `result_too_large` for a full page beyond what Chromium can draw, `operation_timeout`
 */
export async function screenshot(tab: TabSession, request: Screenshot, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const { data } = await tab.send(
      "Page.captureScreenshot",
      {
        format: request.format,
        ...(request.quality === undefined || request.format === "png" ? {} : { quality: request.quality }),
        ...(request.full_page ? { captureBeyondViewport: true, clip: await wholePage(tab, signal) } : {}),
      },
      signal,
    );
    return Buffer.from(data, "base64");
  } catch (thrown) {
    if (thrown instanceof CommandRefused)
      throw new HypeError("screenshot_failed", `Chromium took no screenshot: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}

async function wholePage(tab: TabSession, signal: AbortSignal) {
  const { cssContentSize } = await tab.send("Page.getLayoutMetrics", undefined, signal);
  const { width, height } = cssContentSize;
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX)
    throw new HypeError(
      "result_too_large",
      `the page is ${width}x${height} pixels, the limit is ${MAX_SIDE_PX} a side`,
    );
  return { x: 0, y: 0, width, height, scale: 1 };
}
