import * as v from "valibot";
import { onTab } from "./browser.ts";
import { timeoutMs } from "./operation.ts";

const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/));
const pixels = v.pipe(v.number(), v.integer(), v.minValue(50), v.maxValue(4096));
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** Type of the file by its format. */
export const RECORDING_TYPES = { webm: "video/webm", mkv: "video/x-matroska" } as const;

/** A recording ends by itself at the first of its bounds, when its tab closes, and when the guest has no more room. */
export const StartRecording = v.strictObject({
  max_width: v.optional(pixels, 1280),
  max_height: v.optional(pixels, 1024),
  fps: v.pipe(
    v.optional(whole(1, 30), 10),
    v.description("Pictures a second at most; a page that stands still costs none"),
  ),
  quality: v.optional(whole(10, 95), 60),
  format: v.pipe(
    v.optional(v.picklist(["webm", "mkv"]), "webm"),
    v.description("webm (VP8) plays everywhere; mkv (MJPEG) costs the guest no encoding and is larger"),
  ),
  max_seconds: v.optional(whole(1, 7_200), 600),
  max_mb: v.pipe(v.optional(whole(1, 1_024), 100), v.description("Megabytes; the file lies in the guest's memory")),
  ...onTab,
});
export type StartRecording = v.InferOutput<typeof StartRecording>;
export const StopRecording = v.strictObject({
  id: v.pipe(v.optional(id), v.description("Default: the only one that runs")),
  timeout_ms: timeoutMs,
});
export type StopRecording = v.InferOutput<typeof StopRecording>;
export const ListRecordings = v.strictObject({ timeout_ms: timeoutMs });
export type ListRecordings = v.InferOutput<typeof ListRecordings>;
export const GetRecording = v.strictObject({
  id,
  wait: v.optional(v.pipe(v.boolean(), v.description("Until it has ended")), false),
  timeout_ms: timeoutMs,
});
export type GetRecording = v.InferOutput<typeof GetRecording>;
/** Its file goes too; one that runs is stopped first. */
export const DeleteRecording = v.strictObject({ id, timeout_ms: timeoutMs });
export type DeleteRecording = v.InferOutput<typeof DeleteRecording>;

export const Recording = v.object({
  id: v.string(),
  tab: v.string(),
  format: v.picklist(["webm", "mkv"]),
  state: v.picklist(["recording", "finished"]),
  ended_by: v.pipe(
    v.nullable(v.picklist(["stop", "tab_closed", "max_seconds", "max_mb", "disk_full", "failed"])),
    v.description("null: it still runs. What was recorded until then can be fetched in every case"),
  ),
  error: v.nullable(v.string()),
  width: v.pipe(v.number(), v.description("Pixels of the first picture; 0 before there is one")),
  height: v.number(),
  frames: v.number(),
  bytes: v.number(),
  duration_ms: v.number(),
  started_at: v.pipe(v.number(), v.description("Unix time in milliseconds")),
  ended_at: v.nullable(v.number()),
});
export type Recording = v.InferOutput<typeof Recording>;
/** Lines of the agent's `GET /v1/browser/finished-recordings`. */
export const FinishedRecording = v.pick(Recording, ["id", "ended_by"]);
export type FinishedRecording = v.InferOutput<typeof FinishedRecording>;
export const RecordingList = v.object({ items: v.array(Recording) });
export type RecordingList = v.InferOutput<typeof RecordingList>;

const offset = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Bytes `from` up to and with `to`, of one that is finished. */
export const ReadRecording = v.strictObject({ id, from: v.optional(offset, 0), to: v.optional(offset) });
export type ReadRecording = v.InferOutput<typeof ReadRecording>;
