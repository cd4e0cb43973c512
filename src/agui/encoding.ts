import type { Event } from "@ag-ui/core";
import { AGUI_MEDIA_TYPE, EventEncoder } from "@ag-ui/encoder";
import { HypeError } from "../contract/index.ts";

const SSE = "text/event-stream";

/** How the events of one run go over the wire. */
export type Encoding = {
  contentType: string;
  encode(event: Event): Uint8Array;
  /** What keeps a quiet stream alive; null: the encoding has nothing a reader would skip. */
  heartbeat: Uint8Array | null;
};

/** One media range of an Accept header (RFC 9110, section 12.5.1) with its weight. */
function ranges(accept: string): { type: string; weight: number }[] {
  return accept
    .toLowerCase()
    .split(",")
    .map((range) => {
      const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      const weight = q === undefined ? 1 : Number(q.slice(2));
      return { type, weight: Number.isFinite(weight) ? weight : 0 };
    })
    .filter(({ type }) => type !== "");
}

/**
 * Server-sent events, except for callers that name the protobuf type and do not prefer events. A bare wildcard is what plain tools like
 * curl send; the encoder of @ag-ui would answer it with protobuf, which nobody can read in a terminal.
 * @throws HypeError not_acceptable
 */
export function encodingFor(accept: string | null): Encoding {
  const wanted = ranges(accept ?? "*/*");
  const weightOf = (...types: string[]) =>
    wanted.filter(({ type }) => types.includes(type)).reduce((most, { weight }) => Math.max(most, weight), 0);
  const protobuf = weightOf(AGUI_MEDIA_TYPE);
  const events = weightOf(SSE);
  if (protobuf > 0 && protobuf >= events) return PROTOBUF;
  if (Math.max(events, weightOf("*/*", "text/*")) > 0) return EVENTS;
  throw new HypeError("not_acceptable", `a run is ${SSE} or ${AGUI_MEDIA_TYPE}; the Accept header allows neither`);
}

const protobufEncoder = new EventEncoder({ accept: AGUI_MEDIA_TYPE });
const utf8 = new TextEncoder();

const PROTOBUF: Encoding = {
  contentType: AGUI_MEDIA_TYPE,
  encode: (event) => protobufEncoder.encodeBinary(event as Parameters<EventEncoder["encodeBinary"]>[0]),
  heartbeat: null,
};

/** JSON has no raw newline: one data line is enough. Our events hold no null where a field may be absent, so nothing is searched for any. */
const EVENTS: Encoding = {
  contentType: SSE,
  encode: (event) => utf8.encode(`data: ${JSON.stringify(event)}\n\n`),
  heartbeat: utf8.encode(": heartbeat\n\n"),
};
