import { Elysia } from "elysia";
import * as v from "valibot";
import { EventList, EventType } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { eventsWithin, streamWithin } from "../auth/view-queries.ts";
import type { ServerContext } from "../context.ts";
import { eventStream } from "../sse.ts";
import { invalidRequest } from "../problem.ts";
import { queryNumber, textReply, trusted } from "./schemas.ts";

const HEARTBEAT_MS = 15_000;
const sequence = queryNumber(0, Number.MAX_SAFE_INTEGER);
const LastEventId = v.object({ "last-event-id": sequence });

const Page = v.strictObject({
  after: v.pipe(sequence, v.description("Events with a greater `seq`; 0 begins with the oldest kept")),
  limit: queryNumber(1, 1000),
  vm: v.optional(v.pipe(v.string(), v.maxLength(63), v.description("Name or id of a VM"))),
  type: v.optional(EventType),
});

/** What happened: as pages, and as a live stream that misses nothing (`Last-Event-ID` is the `seq` of the last event read). */
export function eventRoutes({ engine, metrics, closing, heartbeatMs = HEARTBEAT_MS }: ServerContext, gate: Gate) {
  return new Elysia({ name: "events", prefix: "/api/v1/events" })
    .get(
      "",
      ({ query: { after, limit, vm, type }, request }) =>
        eventsWithin(engine, gate.viewOf(request), {
          ...(after === undefined ? {} : { after: Number(after) }),
          ...(limit === undefined ? {} : { limit: Number(limit) }),
          ...(vm === undefined ? {} : { vm }),
          ...(type === undefined ? {} : { type }),
        }),
      { query: Page, response: trusted(EventList), detail: { summary: "Events, paged", tags: ["events"] } },
    )
    .get(
      "/vms",
      ({ query, request, server }) => {
        server?.timeout(request, 0);
        // A reconnecting EventSource repeats its first URL and adds the header: the header is the newer of the two.
        const resumed = v.safeParse(LastEventId, {
          "last-event-id": request.headers.get("last-event-id") ?? undefined,
        });
        if (!resumed.success) throw invalidRequest("headers", resumed.issues);
        const after = Number(resumed.output["last-event-id"] ?? query.after ?? engine.lastEventSeq());
        metrics.eventStreams.inc();
        const view = gate.viewOf(request);
        const stream = eventStream({
          after,
          source: (signal) => {
            const events = engine.subscribe(after, signal);
            return view ? streamWithin(engine, view, events) : events;
          },
          heartbeatMs,
          closing,
          ended: gate.endedOf(request),
          onClose: () => metrics.eventStreams.dec(),
        });
        return new Response(stream, {
          headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
        });
      },
      {
        query: v.strictObject({ after: Page.entries.after }),
        detail: {
          summary: "Events, live (server-sent events); the last event of a stream the server ends is `error`",
          tags: ["events"],
          ...textReply("text/event-stream", "One VmEvent as JSON per event; the id is its seq"),
        },
      },
    );
}
