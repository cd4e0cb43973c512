import type { Download } from "../../src/contract/index.ts";
import type { Downloads } from "./downloads.ts";

/** Between two words of one that arrives, ms. */
const PROGRESS_MS = 1_000;

/**
 * Tells of every download that it is there, how far it is, and how it ended. Resolves when the signal aborts.
 * @param tell is given what it was told before, too; null: nothing
 */
export async function followDownloads(
  downloads: Pick<Downloads, "list" | "changed">,
  tell: (download: Download, before: Download | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Map<string, { download: Download; atMs: number }>();
  while (!signal.aborted) {
    const change = downloads.changed(signal); // taken before the look: what comes in between is not slept through
    const now = downloads.list();
    for (const download of now) {
      const before = told.get(download.id);
      const atMs = performance.now();
      if (before && !isNews(before.download, download, atMs - before.atMs)) continue;
      told.set(download.id, { download, atMs });
      tell(download, before?.download ?? null);
    }
    if (told.size > now.length) {
      const there = new Set(now.map(({ id }) => id));
      for (const id of told.keys()) if (!there.has(id)) told.delete(id);
    }
    await change.catch(() => {}); // it was the signal
  }
}

const isNews = (before: Download, now: Download, sinceMs: number): boolean =>
  before.state !== now.state ||
  before.tab !== now.tab ||
  (before.received_bytes !== now.received_bytes && sinceMs >= PROGRESS_MS);
