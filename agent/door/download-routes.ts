import { CancelDownload, DeleteDownload, GetDownload, ListDownloads, ReadDownload } from "../../src/contract/index.ts";
import { completedDownloads } from "../downloads/completed.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { streamDownload } from "../downloads/stream.ts";
import type { Routes } from "./door.ts";
import { check } from "./http.ts";
import { streamNewOnes } from "./new-ones.ts";
import { operation } from "./operation.ts";

/** `/v1/browser/*` for downloads: one line an operation, the work stands in agent/downloads/. */
export function downloadRoutes(downloads: Downloads): Routes {
  return {
    "POST /v1/browser/list-downloads": operation("list-downloads", ListDownloads, async () => ({
      items: downloads.list(),
    })),
    "POST /v1/browser/get-download": operation("get-download", GetDownload, async ({ id, wait }, signal) =>
      wait ? downloads.ended(id, signal) : downloads.get(id),
    ),
    "POST /v1/browser/cancel-download": operation("cancel-download", CancelDownload, ({ id }, signal) =>
      downloads.cancel(id, signal),
    ),
    "POST /v1/browser/delete-download": operation("delete-download", DeleteDownload, ({ id }, signal) =>
      downloads.delete(id, signal),
    ),
    "GET /v1/browser/completed-downloads": ({ response, signal }) =>
      streamNewOnes(
        () => completedDownloads(downloads),
        (gone) => downloads.changed(gone),
        response,
        signal,
      ),
    "GET /v1/browser/download": ({ url, response, signal }) =>
      streamDownload(downloads, check(ReadDownload, rangeOf(url)), response, signal),
  };
}

const rangeOf = ({ searchParams }: URL) => ({
  id: searchParams.get("id"),
  ...(searchParams.has("from") && { from: Number(searchParams.get("from")) }),
  ...(searchParams.has("to") && { to: Number(searchParams.get("to")) }),
});
