import type { Download, DownloadEntry } from "../../src/contract/index.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { followDownloads } from "../downloads/follow.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

/** Records downloads, each under its own id: that it began, how far it is, and how it ended. Resolves when the signal aborts. */
export const recordDownloads = (
  downloads: Pick<Downloads, "list" | "changed">,
  journal: Journal,
  signal: AbortSignal,
): Promise<void> =>
  followDownloads(
    downloads,
    (download, before) => journal.record(entryOf(download), before ? before.tab : download.tab),
    signal,
  );

const entryOf = (download: Download): Omit<DownloadEntry, "seq"> => {
  const { id, tab, name, url, type, state, error, total_bytes, received_bytes, sha256 } = download;
  return {
    ...{ id, tab, time: Date.now(), kind: "download" },
    ...{ name, url: clipped(url, 2_048), type, state, error, total_bytes, received_bytes, sha256 },
  };
};
