import type { CompletedDownload } from "../../src/contract/index.ts";
import type { Downloads } from "./downloads.ts";

/** Those that are complete, by their ids. */
export const completedDownloads = (downloads: Downloads): CompletedDownload[] =>
  downloads
    .list()
    .filter(({ state }) => state === "completed")
    .map(({ id }) => ({ id }));
