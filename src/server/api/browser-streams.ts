import { Elysia } from "elysia";
import * as v from "valibot";
import { ENTRY_KINDS, HypeError, ListEntries } from "../../contract/index.ts";
import type { DownloadBytes } from "../../guest/downloads.ts";
import { attachment } from "../artifacts/attachment.ts";
import type { Gate } from "../auth/gate.ts";
import { rangeOf } from "../browser/range.ts";
import { streamed } from "../browser/streamed.ts";
import { useBrowser } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { invalidRequest } from "../problem.ts";
import { eventStream } from "../sse.ts";
import { commasAsText, NoQuery, queryNumber, textReply, VmRef } from "./schemas.ts";

const HEARTBEAT_MS = 15_000;
const DownloadRef = v.strictObject({
  ...VmRef.entries,
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a download's id")),
});
const EntryQuery = v.strictObject({
  kinds: v.optional(v.pipe(v.string(), v.description(`${ENTRY_KINDS.join(", ")}; comma-separated`))),
  tab: v.optional(v.pipe(v.string(), v.maxLength(64))),
  after: v.pipe(queryNumber(0, Number.MAX_SAFE_INTEGER), v.description("Entries with a greater `seq`")),
});

/** What a browser gives bit by bit: what was recorded as it happens, and the bytes of downloads. */
export function browserStreamRoutes(context: ServerContext, gate: Gate) {
  const { closing, heartbeatMs = HEARTBEAT_MS } = context;
  return new Elysia({ name: "browser-streams", prefix: "/api/v1/vms/:name/browser" })
    .onTransform(commasAsText)
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0))
    .get(
      "/entries",
      ({ params, query, request }) => {
        const filter = v.safeParse(ListEntries, {
          ...(query.kinds === undefined ? {} : { kinds: query.kinds.split(",").filter(Boolean) }),
          ...(query.tab === undefined ? {} : { tab: query.tab }),
          after: Number(request.headers.get("last-event-id") ?? query.after ?? 0),
        });
        if (!filter.success) throw invalidRequest("query", filter.issues);
        const { kinds, tab, after } = filter.output;
        const use = useBrowser(context, params.name);
        const stream = eventStream({
          after,
          source: (signal) =>
            use.guest.observe.entries({ after, ...(kinds && { kinds }), ...(tab !== undefined && { tab }) }, signal),
          heartbeatMs,
          closing,
          ended: AbortSignal.any([gate.endedOf(request), use.gone]),
          onClose: () => use[Symbol.dispose](),
        });
        return new Response(stream, {
          headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
        });
      },
      {
        params: VmRef,
        query: EntryQuery,
        detail: {
          summary: "What is recorded, live (server-sent events)",
          tags: ["browser"],
          ...textReply("text/event-stream", "One entry as JSON per event; the id is its seq"),
        },
      },
    )
    .get(
      "/downloads/:id",
      async ({ params, request }) => {
        const callers = [request.signal, closing, gate.endedOf(request)];
        const { download, range, read, stream } = await streamed(context, params.name, callers, async (use) => {
          const told = await use.guest.downloads.get({ id: params.id, wait: false, timeout_ms: 10_000 }, use.signal);
          const there = told.received_bytes;
          const total = told.state === "completed" ? there : told.total_bytes;
          const part = rangeOf(request.headers.get("range"), { total, there });
          const asked = part ? { from: part.from, to: part.to } : { from: 0 };
          const bytes = await use.guest.downloads.read({ id: params.id, ...asked }, use.signal);
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
      },
      {
        params: DownloadRef,
        query: NoQuery,
        detail: {
          summary:
            "Bytes of a download, also while they arrive; takes one Range, as far as the size is known or the bytes are there",
          tags: ["browser"],
          ...textReply("application/octet-stream", "The bytes"),
        },
      },
    );
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
