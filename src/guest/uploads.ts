import {
  type DeleteUpload,
  type HandFile,
  type ListUploads,
  Upload,
  UploadList,
  type WriteUpload,
} from "../contract/index.ts";
import { type Operate, parseReply } from "./http.ts";
import { putStream } from "./put-stream.ts";

const MAX_BYTES = 8 * 1024 * 1024;
/** Bytes keep going, or the wire counts as lost. */
const SILENCE_MS = 120_000;

/** Files put into the guest. Throws as {@link Guest} does. */
export class GuestUploads {
  constructor(
    private readonly operate: Operate,
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  async list(request: ListUploads, signal?: AbortSignal): Promise<UploadList> {
    return parseReply(UploadList, await this.operate("list-uploads", request, MAX_BYTES, signal));
  }
  /** @throws HypeError `upload_not_found` */
  async delete(request: DeleteUpload, signal?: AbortSignal): Promise<void> {
    await this.operate("delete-upload", request, MAX_BYTES, signal);
  }

  /**
   * Passes bytes on as the guest takes them: one piece is held here, and a slow guest makes the sender wait. When the body throws,
   * the guest keeps nothing.
   * @throws HypeError `guest_disk_full` | `upload_mismatch` | `limit_reached` | `cancelled`
   */
  async write(told: WriteUpload, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Upload> {
    return await this.#put("/v1/browser/upload", told, body, signal);
  }

  /** A file that a person hands to a page, by the live view; otherwise as {@link GuestUploads.write}. */
  async hand(told: HandFile, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Upload> {
    return await this.#put("/v1/live/file", told, body, signal);
  }

  async #put(path: string, told: WriteUpload, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Upload> {
    const query = new URLSearchParams(
      Object.entries(told).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
    );
    const wire = { endpoint: this.endpoint, token: this.token, what: "the upload", silenceMs: SILENCE_MS };
    return parseReply(Upload, await putStream({ ...wire, path: `${path}?${query}` }, body, told.bytes, signal));
  }
}
