import type * as v from "valibot";
import { CancelDownload, DeleteDownload, GetDownload, ListDownloads, ReadDownload } from "../../src/contract/index.ts";
import { withDeadline } from "../browser/deadline.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { streamDownload } from "../downloads/stream.ts";
import type { Routes } from "./door.ts";
import { type Call, check, json, type Reply } from "./http.ts";

/** `/v1/browser/*` for downloads: one line an operation, the work stands in agent/downloads/. */
export function downloadRoutes(downloads: Downloads): Routes {
  const operation =
    <R extends { timeout_ms: number }>(
      what: string,
      schema: v.GenericSchema<unknown, R>,
      act: (request: R, signal: AbortSignal) => unknown,
    ) =>
    async (call: Call): Promise<Reply> => {
      const request = await call.body(schema);
      return withDeadline(what, request.timeout_ms, call.signal, async (signal) =>
        json((await act(request, signal)) ?? {}),
      );
    };
  return {
    "POST /v1/browser/list-downloads": operation("list-downloads", ListDownloads, () => ({ items: downloads.list() })),
    "POST /v1/browser/get-download": operation("get-download", GetDownload, ({ id, wait }, signal) =>
      wait ? downloads.ended(id, signal) : downloads.get(id),
    ),
    "POST /v1/browser/cancel-download": operation("cancel-download", CancelDownload, ({ id }, signal) =>
      downloads.cancel(id, signal),
    ),
    "POST /v1/browser/delete-download": operation("delete-download", DeleteDownload, ({ id }, signal) =>
      downloads.delete(id, signal),
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
