import * as v from "valibot";
import { Headers } from "./emulation.ts";
import { tabOrAll, timeoutMs } from "./operation.ts";

/** What the Fetch domain tells apart (measured, version 156): text tracks are media to it, manifests and reports of CSP are others. */
export const RESOURCE_TYPES = [
  "document",
  "stylesheet",
  "image",
  "media",
  "font",
  "script",
  "xhr",
  "fetch",
  "eventsource",
  "ping",
  "websocket",
  "other",
] as const;

/** Chromium's own, or its proxy's: a request that carries one of these from us is refused whole (measured, version 156). */
const CHROMIUMS_OWN =
  /^(connection|content-length|cookie2|host|keep-alive|set-cookie|te|trailer|transfer-encoding|upgrade|proxy-.*)$/i;
const RequestHeaders = v.pipe(
  Headers,
  v.check(
    (headers) => !Object.keys(headers).some((name) => CHROMIUMS_OWN.test(name)),
    "Chromium writes host, connection, content-length and their like itself",
  ),
);

const base64 = v.pipe(v.string(), v.base64());
const Action = v.variant("type", [
  v.pipe(v.strictObject({ type: v.literal("block") }), v.description("The request fails (ERR_BLOCKED_BY_CLIENT)")),
  v.pipe(v.strictObject({ type: v.literal("allow") }), v.description("Let it pass: an exception to rules after it")),
  v.pipe(
    v.strictObject({
      type: v.literal("mock"),
      status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), 200),
      headers: v.optional(Headers, {}),
      body: v.optional(v.string()),
      body_base64: v.optional(base64),
    }),
    v.check(
      ({ body, body_base64 }) => body === undefined || body_base64 === undefined,
      "body or body_base64, not both",
    ),
    v.description("Answered without asking the site"),
  ),
  v.pipe(
    v.strictObject({
      type: v.literal("headers"),
      set: v.optional(RequestHeaders, {}),
      remove: v.optional(v.array(v.string()), []),
    }),
    v.description("Request headers to set and to leave out"),
  ),
]);

/** Rules are looked at in their order. Those for headers add up; the first block, allow or mock decides and ends the search. */
export const AddRule = v.strictObject({
  url: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(2048),
      v.description("Whole address; * any characters, ? any one, \\ takes either literally"),
    ),
    "*",
  ),
  resource_types: v.optional(
    v.pipe(
      v.array(v.picklist(RESOURCE_TYPES)),
      v.minLength(1),
      v.description(
        "xhr and fetch mean both: Chromium does not tell them apart. media holds text tracks too, other manifests and reports of CSP. A rule for websocket names nothing else, and blocks or allows",
      ),
    ),
  ),
  methods: v.optional(v.pipe(v.array(v.pipe(v.string(), v.toUpperCase(), v.regex(/^[A-Z]{1,32}$/))), v.minLength(1))),
  action: Action,
  first: v.optional(v.pipe(v.boolean(), v.description("Before the rules there are, not after them")), false),
  tab: tabOrAll,
  timeout_ms: timeoutMs,
});
export type AddRule = v.InferOutput<typeof AddRule>;

/** `hits`: requests it acted on; sockets are not counted. A mock's body is not repeated. */
export const Rule = v.object({
  id: v.string(),
  url: v.string(),
  resource_types: v.nullable(v.array(v.string())),
  methods: v.nullable(v.array(v.string())),
  action: v.string(),
  tab: v.nullable(v.string()),
  hits: v.number(),
});
export type Rule = v.InferOutput<typeof Rule>;
export const RuleList = v.object({ items: v.array(Rule) });
export type RuleList = v.InferOutput<typeof RuleList>;
export const ListRules = v.strictObject({ timeout_ms: timeoutMs });
export type ListRules = v.InferOutput<typeof ListRules>;

export const RemoveRules = v.strictObject({
  ids: v.optional(v.pipe(v.array(v.string()), v.description("Default: all rules"))),
  timeout_ms: timeoutMs,
});
export type RemoveRules = v.InferOutput<typeof RemoveRules>;
