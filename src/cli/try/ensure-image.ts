import type { Config } from "../../config/load.ts";
import type { Progress } from "../output/progress.ts";
import { buildWithProgress } from "../image/build-with-progress.ts";
import { openImages } from "../image/room.ts";

/** Builds the default image where there is none at all. @throws HypeError tool_missing | image_build_failed | cancelled */
export async function ensureImage(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  const images = await openImages(config);
  if ((await images.list()).length > 0) return;
  await buildWithProgress(config, { format: "layered", source: "auto", force: false }, progress, signal);
}
