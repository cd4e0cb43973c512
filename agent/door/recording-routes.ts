import {
  DeleteRecording,
  GetRecording,
  ListRecordings,
  ReadRecording,
  StartRecording,
  StopRecording,
} from "../../src/contract/index.ts";
import type { Recordings } from "../recording/recordings.ts";
import { streamRecording } from "../recording/stream.ts";
import type { Routes } from "./door.ts";
import { check } from "./http.ts";
import { streamNewOnes } from "./new-ones.ts";
import { operation } from "./operation.ts";

/** `/v1/browser/*` for recordings: one line an operation, the work stands in agent/recording/. */
export function recordingRoutes(recordings: Recordings): Routes {
  return {
    "POST /v1/browser/start-recording": operation("start-recording", StartRecording, (request, signal) =>
      recordings.start(request, signal),
    ),
    "POST /v1/browser/stop-recording": operation("stop-recording", StopRecording, (request) =>
      recordings.stop(request),
    ),
    "POST /v1/browser/get-recording": operation("get-recording", GetRecording, async ({ id, wait }, signal) =>
      wait ? recordings.ended(id, signal) : recordings.get(id),
    ),
    "POST /v1/browser/list-recordings": operation("list-recordings", ListRecordings, async () => ({
      items: recordings.list(),
    })),
    "POST /v1/browser/delete-recording": operation("delete-recording", DeleteRecording, ({ id }) =>
      recordings.delete(id),
    ),
    "GET /v1/browser/finished-recordings": ({ response, signal }) =>
      streamNewOnes(
        () => recordings.finished(),
        (gone) => recordings.changed(gone),
        response,
        signal,
      ),
    "GET /v1/browser/recording": ({ url: { searchParams }, response }) =>
      streamRecording(
        recordings,
        check(ReadRecording, {
          id: searchParams.get("id"),
          ...(searchParams.has("from") && { from: Number(searchParams.get("from")) }),
          ...(searchParams.has("to") && { to: Number(searchParams.get("to")) }),
        }),
        response,
      ),
  };
}
