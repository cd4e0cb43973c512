import * as v from "valibot";
import {
  type AnswerDialog,
  Entry,
  EntryList,
  type ExportHar,
  type GetBody,
  type ListEntries,
  Observing,
  type SetDialogPolicy,
  type StartObserving,
  type StopObserving,
} from "../contract/index.ts";
import { readStream } from "./events.ts";
import { type Operate, parseReply } from "./http.ts";

const SMALL_BYTES = 1024 * 1024;
const LARGE_BYTES = 256 * 1024 * 1024;
/** Longest line of the stream: an entry with a message of 64 KB in JSON, escaped, and its headers. */
const MAX_LINE = 4 * 1024 * 1024;
const Har = v.looseObject({ log: v.looseObject({ version: v.string(), entries: v.array(v.unknown()) }) });
export type Har = v.InferOutput<typeof Har>;

/** What was seen in the tabs. Throws as {@link Guest} does. */
export class GuestObserve {
  constructor(
    private readonly operate: Operate,
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  async start(request: StartObserving, signal?: AbortSignal): Promise<Observing> {
    return parseReply(Observing, await this.operate("start-observing", request, SMALL_BYTES, signal));
  }
  async stop(request: StopObserving, signal?: AbortSignal): Promise<Observing> {
    return parseReply(Observing, await this.operate("stop-observing", request, SMALL_BYTES, signal));
  }
  async list(request: ListEntries, signal?: AbortSignal): Promise<EntryList> {
    return parseReply(EntryList, await this.operate("list-entries", request, LARGE_BYTES, signal));
  }
  /** Entries after `after` and then each as it comes, until the signal aborts. @throws HypeError `reader_too_slow` | `guest_unreachable` */
  entries(filter: { kinds?: string[]; tab?: string; after?: number }, signal: AbortSignal): AsyncIterable<Entry> {
    const query = new URLSearchParams();
    if (filter.kinds) query.set("kinds", filter.kinds.join(","));
    if (filter.tab !== undefined) query.set("tab", filter.tab);
    query.set("after", String(filter.after ?? 0));
    return readStream(this.endpoint, this.token, `/v1/browser/entries?${query}`, Entry, MAX_LINE, signal);
  }
  /** @throws HypeError `request_not_found` | `body_gone` */
  async body(request: GetBody, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.operate("get-body", request, LARGE_BYTES, signal)).bytes;
  }
  async har(request: ExportHar, signal?: AbortSignal): Promise<Har> {
    return parseReply(Har, await this.operate("export-har", request, LARGE_BYTES, signal));
  }
  async setDialogPolicy(request: SetDialogPolicy, signal?: AbortSignal): Promise<void> {
    await this.operate("set-dialog-policy", request, SMALL_BYTES, signal);
  }
  /** @throws HypeError `dialog_not_found` */
  async answerDialog(request: AnswerDialog, signal?: AbortSignal): Promise<void> {
    await this.operate("answer-dialog", request, SMALL_BYTES, signal);
  }
}
