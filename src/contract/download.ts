import * as v from "valibot";
import { timeoutMs } from "./operation.ts";

const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/));

export const Download = v.object({
  id: v.string(),
  tab: v.pipe(v.nullable(v.string()), v.description("null: begun by a frame or a tab that is gone")),
  url: v.string(),
  name: v.pipe(v.string(), v.description("As the site proposes; a name, never a path")),
  type: v.pipe(v.string(), v.description("By the name's ending")),
  state: v.picklist(["in_progress", "completed", "canceled", "failed"]),
  error: v.nullable(v.string()),
  total_bytes: v.pipe(v.nullable(v.number()), v.description("null: the site does not say")),
  received_bytes: v.number(),
  sha256: v.pipe(v.nullable(v.string()), v.description("Of a completed one")),
  by_client: v.pipe(v.boolean(), v.description("A DevTools client (Playwright, …) keeps it in a place of its own")),
  started_at: v.pipe(v.number(), v.description("Unix time in milliseconds")),
  ended_at: v.nullable(v.number()),
});
export type Download = v.InferOutput<typeof Download>;
export const DownloadList = v.object({ items: v.array(Download) });
export type DownloadList = v.InferOutput<typeof DownloadList>;

/** Lines of the agent's `GET /v1/browser/completed-downloads`. */
export const CompletedDownload = v.object({ id });
export type CompletedDownload = v.InferOutput<typeof CompletedDownload>;

export const ListDownloads = v.strictObject({ timeout_ms: timeoutMs });
export type ListDownloads = v.InferOutput<typeof ListDownloads>;
export const GetDownload = v.strictObject({
  id,
  wait: v.optional(v.pipe(v.boolean(), v.description("Until it is no longer in progress")), false),
  timeout_ms: timeoutMs,
});
export type GetDownload = v.InferOutput<typeof GetDownload>;
export const CancelDownload = v.strictObject({ id, timeout_ms: timeoutMs });
export type CancelDownload = v.InferOutput<typeof CancelDownload>;
/** Its file goes too; one in progress is cancelled first. */
export const DeleteDownload = v.strictObject({ id, timeout_ms: timeoutMs });
export type DeleteDownload = v.InferOutput<typeof DeleteDownload>;

const offset = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Bytes `from` up to and with `to`. One in progress is followed until it ends. */
export const ReadDownload = v.strictObject({ id, from: v.optional(offset, 0), to: v.optional(offset) });
export type ReadDownload = v.InferOutput<typeof ReadDownload>;
