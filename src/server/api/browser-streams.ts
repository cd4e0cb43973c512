import { Elysia } from "elysia";
import * as v from "valibot";
import { ENTRY_KINDS, ListEntries } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { downloadReply } from "../browser/download-reply.ts";
import { useBrowser } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { invalidRequest } from "../problem.ts";
import { eventStream } from "../sse.ts";
import { commasAsText, DownloadRef, NoQuery, queryNumber, textReply, VmRef } from "./schemas.ts";

const HEARTBEAT_MS = 15_000;
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
        return await downloadReply(context, params.name, params.id, request.headers.get("range"), callers);
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
