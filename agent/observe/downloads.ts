import type { Download, DownloadEntry } from "../../src/contract/index.ts";
import type { Downloads } from "../downloads/downloads.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

/** Between two entries of one that arrives, ms. */
const PROGRESS_MS = 1_000;

/** Records downloads, each under its own id: that it began, how far it is, and how it ended. Resolves when the signal aborts. */
export async function recordDownloads(
  downloads: Pick<Downloads, "list" | "changed">,
  journal: Journal,
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
      journal.record(entryOf(download), before ? before.download.tab : download.tab);
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

const entryOf = (download: Download): Omit<DownloadEntry, "seq"> => {
  const { id, tab, name, url, type, state, error, total_bytes, received_bytes, sha256 } = download;
  return {
    ...{ id, tab, time: Date.now(), kind: "download" },
    ...{ name, url: clipped(url, 2_048), type, state, error, total_bytes, received_bytes, sha256 },
  };
};
