import { Elysia } from "elysia";
import * as v from "valibot";
import { RECORDING_TYPES } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { parseRange } from "../browser/range.ts";
import { streamed } from "../browser/streamed.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, textReply, VmRef } from "./schemas.ts";

const GET_MS = 10_000;
const RecordingRef = v.strictObject({
  ...VmRef.entries,
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a recording's id")),
});

/** Films of a browser, straight out of its guest. */
export function browserRecordingRoutes(context: ServerContext, gate: Gate) {
  return new Elysia({ name: "browser-recordings", prefix: "/api/v1/vms/:name/browser" })
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0))
    .get(
      "/recordings/:id",
      async ({ params, request }) => {
        const callers = [request.signal, context.closing, gate.endedOf(request)];
        const { read, range, size, format, stream } = await streamed(context, params.name, callers, async (use) => {
          const ask = { id: params.id, wait: false, timeout_ms: GET_MS };
          const told = await use.guest.recordings.get(ask, use.signal);
          const part = told.state === "finished" ? parseRange(request.headers.get("range"), told.bytes) : null;
          const from = { id: params.id, ...(part ?? { from: 0 }) };
          const film = await use.guest.recordings.read(from, use.signal);
          return { read: film, range: part, size: told.bytes, format: told.format };
        });
        return new Response(stream, {
          status: range ? 206 : 200,
          headers: {
            "content-type": RECORDING_TYPES[format],
            "content-disposition": `attachment; filename="${params.name}.${format}"`,
            "x-content-type-options": "nosniff",
            "accept-ranges": "bytes",
            ...(read.length === null ? {} : { "content-length": String(read.length) }),
            ...(range ? { "content-range": `bytes ${range.from}-${range.to}/${size}` } : {}),
          },
        });
      },
      {
        params: RecordingRef,
        query: NoQuery,
        detail: {
          summary: "File of a finished recording; takes one Range",
          tags: ["browser"],
          ...textReply("video/webm", "The film; video/x-matroska where it was recorded as mkv"),
        },
      },
    );
}
