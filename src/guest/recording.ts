import {
  type DeleteRecording,
  FinishedRecording,
  type GetRecording,
  type ListRecordings,
  type ReadRecording,
  Recording,
  RecordingList,
  type StartRecording,
  type StopRecording,
} from "../contract/index.ts";
import { type DownloadBytes, readBytes } from "./downloads.ts";
import { readStream } from "./events.ts";
import { type Operate, parseReply } from "./http.ts";

const MAX_BYTES = 1024 * 1024;
/** Longest line of a stream, characters. */
const MAX_LINE = 1024;

/** Recordings of tabs, made and held in the guest. Throws as {@link Guest} does. */
export class GuestRecordings {
  constructor(
    private readonly operate: Operate,
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  /** @throws HypeError `recording_conflict` | `limit_reached` | `tab_not_found` */
  async start(request: StartRecording, signal?: AbortSignal): Promise<Recording> {
    return parseReply(Recording, await this.operate("start-recording", request, MAX_BYTES, signal));
  }
  /** Nothing to do for one that ended by itself. @throws HypeError `recording_conflict` | `recording_not_found` */
  async stop(request: StopRecording, signal?: AbortSignal): Promise<Recording> {
    return parseReply(Recording, await this.operate("stop-recording", request, MAX_BYTES, signal));
  }
  /** @throws HypeError `recording_not_found` | `operation_timeout` where it is to be waited for */
  async get(request: GetRecording, signal?: AbortSignal): Promise<Recording> {
    return parseReply(Recording, await this.operate("get-recording", request, MAX_BYTES, signal));
  }
  async list(request: ListRecordings, signal?: AbortSignal): Promise<RecordingList> {
    return parseReply(RecordingList, await this.operate("list-recordings", request, MAX_BYTES, signal));
  }
  /** @throws HypeError `recording_not_found` */
  async delete(request: DeleteRecording, signal?: AbortSignal): Promise<void> {
    await this.operate("delete-recording", request, MAX_BYTES, signal);
  }

  /** Every recording that has ended, then each as it does, until the signal aborts. @throws HypeError `guest_unreachable` */
  finished(signal: AbortSignal): AsyncIterable<FinishedRecording> {
    return readStream(
      this.endpoint,
      this.token,
      "/v1/browser/finished-recordings",
      FinishedRecording,
      MAX_LINE,
      signal,
    );
  }

  /**
   * The file as it is read: nothing is gathered here, and a reader that is slow makes the guest wait.
   * @throws HypeError `recording_not_found` | `recording_conflict` while it runs | `range_not_satisfiable`
   */
  read({ id, from, to }: ReadRecording, signal: AbortSignal): Promise<DownloadBytes> {
    const query = new URLSearchParams({ id, from: String(from), ...(to !== undefined && { to: String(to) }) });
    return readBytes(this.endpoint, this.token, `/v1/browser/recording?${query}`, signal);
  }
}
