import { HypeError } from "../../contract/index.ts";
import type { DownloadBytes } from "../../guest/downloads.ts";
import { attachment } from "../artifacts/attachment.ts";
import type { ServerContext } from "../context.ts";
import { rangeOf } from "./range.ts";
import { streamed } from "./streamed.ts";

/**
 * The bytes of a download, or of one range of it, also while they arrive.
 * @param callers end it when they abort
 * @throws HypeError `download_not_found` | `range_not_satisfiable`, and as {@link streamed}
 */
export async function downloadReply(
  context: ServerContext,
  ref: string,
  id: string,
  rangeHeader: string | null,
  callers: AbortSignal[],
): Promise<Response> {
  const { download, range, read, stream } = await streamed(context, ref, callers, async (use) => {
    const told = await use.guest.downloads.get({ id, wait: false, timeout_ms: 10_000 }, use.signal);
    const there = told.received_bytes;
    const total = told.state === "completed" ? there : told.total_bytes;
    const part = rangeOf(rangeHeader, { total, there });
    const asked = part ? { from: part.from, to: part.to } : { from: 0 };
    const bytes = await use.guest.downloads.read({ id, ...asked }, use.signal);
    return { download: told, range: part, read: part ? wholly(bytes, part.to - part.from + 1) : bytes };
  });
  return new Response(stream, {
    status: range ? 206 : 200,
    headers: {
      // The guest's word for the type would let a page be shown under our origin.
      "content-type": "application/octet-stream",
      "content-disposition": attachment(download.name),
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes",
      ...(read.length === null ? {} : { "content-length": String(read.length) }),
      ...(range && { "content-range": `bytes ${range.from}-${range.to}/${range.size}` }),
    },
  });
}

/** A range that turns out shorter than it was promised breaks off: a part must not pass for the whole. */
function wholly({ length, bytes }: DownloadBytes, promised: number): DownloadBytes {
  return {
    length,
    bytes: (async function* () {
      let given = 0;
      for await (const piece of bytes) {
        given += piece.length;
        yield piece;
      }
      if (given < promised)
        throw new HypeError("guest_unreachable", `the download ended ${promised - given} bytes before its range`);
    })(),
  };
}
