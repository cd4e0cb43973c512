import { type IncomingMessage, request as httpRequest } from "node:http";
import {
  type DeleteUpload,
  HypeError,
  type ListUploads,
  messageOf,
  Upload,
  UploadList,
  type WriteUpload,
} from "../contract/index.ts";
import { type Operate, parseReply, replyOf } from "./http.ts";

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
  async write(
    { name, bytes, sha256 }: WriteUpload,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Upload> {
    const query = new URLSearchParams({
      name,
      ...(bytes !== undefined && { bytes: String(bytes) }),
      ...(sha256 !== undefined && { sha256 }),
    });
    const path = `/v1/browser/upload?${query}`;
    const answered = Promise.withResolvers<IncomingMessage>();
    answered.promise.catch(() => {}); // it is asked for below
    const request = httpRequest(this.endpoint + path, {
      method: "PUT",
      signal,
      headers: {
        authorization: `Bearer ${this.token}`,
        "content-type": "application/octet-stream",
        ...(bytes === undefined ? { "transfer-encoding": "chunked" } : { "content-length": bytes }),
      },
    });
    request.on("response", answered.resolve);
    request.on("error", answered.reject);
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
    try {
      // A refusal comes before all is sent: then the rest is not.
      await Promise.race([send(request, body, bytes), answered.promise]);
      return parseReply(Upload, await replyOf(await answered.promise, MAX_BYTES));
    } catch (thrown) {
      if (thrown instanceof HypeError) throw thrown;
      if (signal.aborted) throw new HypeError("cancelled", "the caller went away", {}, { cause: thrown });
      throw new HypeError("guest_unreachable", `the upload broke off: ${messageOf(thrown)}`, {}, { cause: thrown });
    } finally {
      request.destroy();
    }
  }
}

/** @throws HypeError `upload_mismatch` when the body is not as long as announced: the wire could not say so */
async function send(
  request: ReturnType<typeof httpRequest>,
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
): Promise<void> {
  let sent = 0;
  let wake = () => {};
  const onDrain = () => wake();
  request.on("drain", onDrain);
  request.on("close", onDrain);
  for await (const chunk of body) {
    if (request.destroyed) return;
    sent += chunk.length;
    if (announced !== undefined && sent > announced) break;
    if (request.write(chunk)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
  }
  if (announced !== undefined && sent !== announced)
    throw new HypeError("upload_mismatch", `${announced} bytes were announced, ${sent} or more came`);
  request.end();
}
