import {
  type CancelDownload,
  CompletedDownload,
  type DeleteDownload,
  Download,
  DownloadList,
  type GetDownload,
  HypeError,
  type ListDownloads,
  messageOf,
  type ReadDownload,
} from "../contract/index.ts";
import { readStream } from "./events.ts";
import { openStream, type Operate, parseReply } from "./http.ts";

const MAX_BYTES = 64 * 1024 * 1024;
/** Longest line of a stream, characters. */
const MAX_LINE = 1024;
/** Files keep arriving, or the wire counts as lost. */
const SILENCE_MS = 120_000;

/** `length` is null while the download is in progress: bytes come until it ends. */
export type DownloadBytes = { length: number | null; bytes: AsyncIterable<Uint8Array> };

/** Downloads in the guest. Throws as {@link Guest} does. */
export class GuestDownloads {
  constructor(
    private readonly operate: Operate,
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  async list(request: ListDownloads, signal?: AbortSignal): Promise<DownloadList> {
    return parseReply(DownloadList, await this.operate("list-downloads", request, MAX_BYTES, signal));
  }
  /** @throws HypeError `download_not_found` */
  async get(request: GetDownload, signal?: AbortSignal): Promise<Download> {
    return parseReply(Download, await this.operate("get-download", request, MAX_BYTES, signal));
  }
  async cancel(request: CancelDownload, signal?: AbortSignal): Promise<Download> {
    return parseReply(Download, await this.operate("cancel-download", request, MAX_BYTES, signal));
  }
  async delete(request: DeleteDownload, signal?: AbortSignal): Promise<void> {
    await this.operate("delete-download", request, MAX_BYTES, signal);
  }

  /** Every download that is complete, then each that becomes it, until the signal aborts. @throws HypeError `guest_unreachable` */
  completed(signal: AbortSignal): AsyncIterable<CompletedDownload> {
    const path = "/v1/browser/completed-downloads";
    return readStream(this.endpoint, this.token, path, CompletedDownload, MAX_LINE, signal);
  }

  /**
   * Its bytes as they are read: nothing is gathered here, and a reader that is slow makes the guest wait.
   * @throws HypeError `download_not_found` | `download_gone` | `range_not_satisfiable`, and from the bytes `guest_unreachable`
   * when they break off
   */
  async read({ id, from, to }: ReadDownload, signal: AbortSignal): Promise<DownloadBytes> {
    const query = new URLSearchParams({ id, from: String(from), ...(to !== undefined && { to: String(to) }) });
    const path = `/v1/browser/download?${query}`;
    return readBytes(this.endpoint, this.token, path, signal);
  }
}

/** A file's bytes as they come. @throws HypeError as {@link openStream}, and from the bytes `guest_unreachable` when they break off */
export async function readBytes(
  endpoint: string,
  token: string,
  path: string,
  signal: AbortSignal,
): Promise<DownloadBytes> {
  const response = await openStream(endpoint, token, path, signal);
  const given = response.headers["content-length"];
  const length = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : null;
  response.setTimeout(SILENCE_MS, () => response.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
  return { length, bytes: told(response, signal) };
}

async function* told(response: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (thrown) {
    if (signal.aborted) throw new HypeError("cancelled", "the caller went away", {}, { cause: thrown });
    throw new HypeError("guest_unreachable", `the bytes broke off: ${messageOf(thrown)}`, {}, { cause: thrown });
  }
}
