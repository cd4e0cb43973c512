import type { Config } from "../../config/load.ts";
import { silentLog } from "../../log/log.ts";

/** The image room of this machine. Imported when needed: it hashes and unpacks, most commands do neither. */
export async function openImages(config: Config) {
  const { Images } = await import("../../image/images.ts");
  return new Images(config, silentLog);
}
