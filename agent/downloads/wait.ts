import { type Download, HypeError, type Wait, type Waited } from "../../src/contract/index.ts";
import type { TabSession } from "../browser/tabs.ts";
import { urlMatcher } from "../browser/wait.ts";
import type { Downloads } from "./downloads.ts";

/**
 * Waits for the end of a download. Each is told of once, oldest first, so that the click that begins it may come before the wait.
 * Where the request names a tab: one of that tab, or of a frame or window that is gone.
 * @throws HypeError `operation_timeout` saying how far it came
 */
export async function waitForDownload(
  downloads: Downloads,
  tab: TabSession,
  request: Wait,
  signal: AbortSignal,
): Promise<Waited> {
  const { name } = request.download === true || request.download === undefined ? {} : request.download;
  const isNamed = name === undefined ? () => true : urlMatcher(name);
  const isMeant = (download: Download) =>
    isNamed(download.name) && (request.tab === undefined || download.tab === tab.id || download.tab === null);
  for (;;) {
    const found = downloads.untold(isMeant);
    if (found && found.state !== "in_progress") {
      downloads.tell(found.id);
      return { tab: tab.id, ...(await tab.info(signal)), dialog: null, download: found };
    }
    try {
      await downloads.changed(signal);
    } catch (thrown) {
      if (!(thrown instanceof HypeError) || thrown.code !== "operation_timeout") throw thrown;
      throw new HypeError("operation_timeout", `${thrown.message}: ${howFar(found)}`, {}, { cause: thrown });
    }
  }
}

const howFar = (found: Download | undefined): string =>
  found
    ? `${found.name} (${found.id}) is still arriving, ${found.received_bytes} of ${found.total_bytes ?? "?"} bytes are there`
    : "no such download began";
