import * as v from "valibot";
import { Download } from "./download.ts";
import { tabOrAll, timeoutMs } from "./operation.ts";

export const OBSERVED = ["console", "exception", "request", "websocket"] as const;
const kinds = v.optional(v.array(v.picklist(OBSERVED)), [...OBSERVED]);
/** What entries there are: tabs and downloads are recorded always, dialogs while there is a policy for them. */
export const ENTRY_KINDS = [...OBSERVED, "dialog", "tab", "download"] as const;

/** Observation begins when it is asked for and costs nothing before. What several callers started adds up. */
export const StartObserving = v.strictObject({ kinds, tab: tabOrAll, timeout_ms: timeoutMs });
export type StartObserving = v.InferOutput<typeof StartObserving>;
/** What was seen stays, until as much new came. */
export const StopObserving = v.strictObject({ kinds, tab: tabOrAll, timeout_ms: timeoutMs });
export type StopObserving = v.InferOutput<typeof StopObserving>;
export const Observing = v.object({ all: v.array(v.string()), tabs: v.record(v.string(), v.array(v.string())) });
export type Observing = v.InferOutput<typeof Observing>;

/** An entry that changes (a request that ends, a dialog that is answered) gets a new `seq` and keeps its `id`. */
const common = {
  seq: v.number(),
  id: v.string(),
  tab: v.pipe(v.nullable(v.string()), v.description("null: of none, as a worker that serves many")),
  time: v.pipe(v.number(), v.description("Unix time in milliseconds")),
};
const place = { url: v.string(), line: v.number(), column: v.number() };
const header = v.object({ name: v.string(), value: v.string() });

export const ConsoleEntry = v.object({
  ...common,
  kind: v.literal("console"),
  level: v.string(),
  text: v.string(),
  ...place,
});
export const ExceptionEntry = v.object({ ...common, kind: v.literal("exception"), text: v.string(), ...place });
export const RequestEntry = v.object({
  ...common,
  kind: v.literal("request"),
  state: v.picklist(["pending", "finished", "failed"]),
  method: v.string(),
  url: v.string(),
  resource_type: v.string(),
  document_url: v.string(),
  status: v.nullable(v.number()),
  status_text: v.string(),
  mime_type: v.string(),
  protocol: v.string(),
  remote_address: v.nullable(v.string()),
  from_cache: v.boolean(),
  from_service_worker: v.boolean(),
  redirected_to: v.nullable(v.string()),
  error: v.nullable(v.string()),
  request_headers: v.array(header),
  response_headers: v.array(header),
  has_request_body: v.boolean(),
  encoded_bytes: v.pipe(v.number(), v.description("Over the wire, head and body")),
  body_bytes: v.pipe(v.number(), v.description("Uncompressed")),
  duration_ms: v.nullable(v.number()),
  timing: v.pipe(
    v.nullable(v.record(v.string(), v.number())),
    v.description("Milliseconds: blocked, dns, connect, ssl, send, wait, receive; -1 where it does not apply"),
  ),
});
export type RequestEntry = v.InferOutput<typeof RequestEntry>;
export const WebSocketEntry = v.object({
  ...common,
  kind: v.literal("websocket"),
  socket: v.string(),
  url: v.string(),
  event: v.picklist(["open", "sent", "received", "error", "close"]),
  text: v.nullable(v.string()),
  base64: v.nullable(v.string()),
  bytes: v.number(),
  truncated: v.boolean(),
});
export type WebSocketEntry = v.InferOutput<typeof WebSocketEntry>;
export const DialogEntry = v.object({
  ...common,
  kind: v.literal("dialog"),
  state: v.picklist(["open", "accepted", "dismissed"]),
  type: v.string(),
  message: v.string(),
  default_prompt: v.string(),
  url: v.string(),
});
export type DialogEntry = v.InferOutput<typeof DialogEntry>;
/** What became of a tab. Each event has an id of its own; when its title comes later, the entry changes. */
export const TabEntry = v.object({
  ...common,
  kind: v.literal("tab"),
  event: v.pipe(
    v.picklist(["opened", "navigated", "crashed", "closed"]),
    v.description("navigated: it shows another address, one within its document too. crashed: its renderer died"),
  ),
  url: v.string(),
  title: v.string(),
  opener: v.pipe(v.nullable(v.string()), v.description("The tab whose page opened it")),
});
export type TabEntry = v.InferOutput<typeof TabEntry>;
const { name, url, type, state, error, total_bytes, received_bytes, sha256 } = Download.entries;
/** Its `id` is the download's. It changes about once a second while it arrives, and a last time when it has ended. */
export const DownloadEntry = v.object({
  ...common,
  kind: v.literal("download"),
  ...{ name, url, type, state, error, total_bytes, received_bytes, sha256 },
});
export type DownloadEntry = v.InferOutput<typeof DownloadEntry>;
export const Entry = v.variant("kind", [
  ConsoleEntry,
  ExceptionEntry,
  RequestEntry,
  WebSocketEntry,
  DialogEntry,
  TabEntry,
  DownloadEntry,
]);
export type Entry = v.InferOutput<typeof Entry>;

export const ListEntries = v.strictObject({
  kinds: v.optional(v.array(v.picklist(ENTRY_KINDS)), [...ENTRY_KINDS]),
  tab: tabOrAll,
  after: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.description("Only with a larger seq")), 0),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5_000)), 500),
  timeout_ms: timeoutMs,
});
export type ListEntries = v.InferOutput<typeof ListEntries>;
/** `dropped`: entries of these kinds and tabs that there was no room for, since observation began. */
export const EntryList = v.object({ items: v.array(Entry), dropped: v.number(), after: v.number() });
export type EntryList = v.InferOutput<typeof EntryList>;

export const GetBody = v.strictObject({
  id: v.pipe(v.string(), v.description("A request's id")),
  of: v.optional(v.picklist(["response", "request"]), "response"),
  timeout_ms: timeoutMs,
});
export type GetBody = v.InferOutput<typeof GetBody>;

export const ExportHar = v.strictObject({
  tab: tabOrAll,
  bodies: v.optional(v.pipe(v.boolean(), v.description("With the bodies that Chromium still holds")), false),
  timeout_ms: timeoutMs,
});
export type ExportHar = v.InferOutput<typeof ExportHar>;

/** null: what Chromium does by itself, which is to dismiss. `ask`: the page stands still until somebody answers. */
export const SetDialogPolicy = v.strictObject({
  policy: v.nullable(v.picklist(["accept", "dismiss", "ask"])),
  prompt_text: v.optional(
    v.pipe(v.string(), v.maxLength(65_536), v.description("accept: what prompts are answered with")),
  ),
  tab: tabOrAll,
  timeout_ms: timeoutMs,
});
export type SetDialogPolicy = v.InferOutput<typeof SetDialogPolicy>;
export const AnswerDialog = v.strictObject({
  id: v.string(),
  accept: v.boolean(),
  prompt_text: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
  timeout_ms: timeoutMs,
});
export type AnswerDialog = v.InferOutput<typeof AnswerDialog>;
