import { closeSync, fstatSync, readSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { HypeError, type ReadDownload } from "../../src/contract/index.ts";
import type { Downloads } from "./downloads.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * Sends bytes of a download, one in progress as they arrive; the length stands in the head when it is known. When the download
 * breaks off, so does the answer: a reader never takes a part for the whole.
 * @throws HypeError `download_not_found` | `download_gone` | `range_not_satisfiable`, before the first byte
 */
export async function streamDownload(
  downloads: Downloads,
  { id, from, to }: ReadDownload,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  let file = await openSoon(downloads, id, gone);
  try {
    const { state, total_bytes: total } = downloads.get(id);
    if (state === "failed" || state === "canceled")
      throw new HypeError("download_gone", `it did not complete: ${downloads.get(id).error ?? state}`);
    const beyond = total !== null && state === "completed" && from >= total && !(from === 0 && total === 0);
    if (beyond || (to !== undefined && to < from))
      throw new HypeError("range_not_satisfiable", `it has ${total} bytes, asked for ${from} to ${to ?? "the end"}`);
    const end = to === undefined ? total : total === null || state !== "completed" ? null : Math.min(total, to + 1);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "cache-control": "no-store",
      ...(end !== null && state === "completed" && { "content-length": Math.max(0, end - from) }),
    });
    response.flushHeaders(); // the first byte may be long in coming
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = from; to === undefined || at <= to;) {
      // Asked before the read: what was complete then is all there when the read finds nothing more.
      const before = downloads.get(id).state;
      const change = downloads.changed(gone);
      change.catch(() => {}); // the reader went away
      const want = to === undefined ? CHUNK_BYTES : Math.min(CHUNK_BYTES, to + 1 - at);
      const read = readSync(file, buffer, 0, want, at);
      if (read > 0) {
        at += read;
        await written(response, Buffer.from(buffer.subarray(0, read)), gone);
      } else if (before === "completed") {
        const whole = downloads.get(id).total_bytes ?? at;
        if (at >= (to === undefined ? whole : Math.min(whole, to + 1))) break;
        const renewed = latest(downloads, id, file);
        if (renewed === file) return void response.destroy(); // it has become shorter: never a part for the whole
        file = renewed;
      } else if (before !== "in_progress") return void response.destroy();
      else {
        await change;
        file = latest(downloads, id, file);
      }
    }
    response.end();
  } catch (thrown) {
    if (!response.headersSent) throw thrown;
    response.destroy();
  } finally {
    closeSync(file);
  }
}

/** The file as it is now: what was opened first may have been Chromium's empty one, which only kept the name. */
function latest(downloads: Downloads, id: string, file: number): number {
  let now: number;
  try {
    now = downloads.open(id);
  } catch {
    return file; // it failed or was deleted: its state says so
  }
  if (fstatSync(now).ino === fstatSync(file).ino) {
    closeSync(now);
    return file;
  }
  closeSync(file);
  return now;
}

/** A download that has just begun has no file yet. */
async function openSoon(downloads: Downloads, id: string, gone: AbortSignal): Promise<number> {
  for (;;) {
    const change = downloads.changed(gone);
    change.catch(() => {}); // the reader went away
    try {
      return downloads.open(id);
    } catch (thrown) {
      if (downloads.get(id).state !== "in_progress") throw thrown;
      await change;
    }
  }
}

/** Resolves when the reader took enough for more to be read: memory stays flat however slow it is. */
function written(response: ServerResponse, chunk: Buffer, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  if (response.write(chunk)) return Promise.resolve();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(gone.reason);
  response.once("drain", resolve);
  gone.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => {
    response.off("drain", resolve);
    gone.removeEventListener("abort", onAbort);
  });
}
