import { closeSync, createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { HypeError, type ReadRecording, RECORDING_TYPES } from "../../src/contract/index.ts";
import type { Recordings } from "./recordings.ts";

/**
 * Sends the file of a finished recording, or a part of it, no faster than it is taken.
 * @throws HypeError `recording_not_found` | `recording_conflict` | `range_not_satisfiable`, before the first byte
 */
export async function streamRecording(
  recordings: Recordings,
  { id, from, to }: ReadRecording,
  response: ServerResponse,
): Promise<void> {
  const { file, recording } = recordings.open(id);
  const { bytes, format } = recording;
  const last = Math.min(to ?? bytes - 1, bytes - 1);
  if (from > last) {
    closeSync(file);
    throw new HypeError("range_not_satisfiable", `it has ${bytes} bytes, asked for ${from} to ${to ?? "the end"}`);
  }
  response.writeHead(200, {
    "content-type": RECORDING_TYPES[format],
    "content-length": last - from + 1,
    "cache-control": "no-store",
  });
  const source = createReadStream("", { fd: file, start: from, end: last, autoClose: true });
  await pipeline(source, response).catch(() => response.destroy()); // the reader went away
}
