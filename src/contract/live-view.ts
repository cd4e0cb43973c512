import * as v from "valibot";

/** The live view as people meet it: links that open its page, and who has control over a browser. The wire of the picture is live.ts. */
const label = v.pipe(
  v.string("must be text"),
  v.minLength(1, "must not be empty"),
  v.maxLength(64, "must be at most 64 characters"),
  v.regex(/^[^\p{Cc}\p{Cf}]*$/u, "must be plain text on one line"),
);
const Timestamp = v.pipe(v.string(), v.description("ISO 8601, UTC"));

export const LIVE_LINK_TTL_SECONDS = { default: 600, max: 86_400 } as const;
/** Longest wait for control, seconds. */
export const CONTROL_WAIT_SECONDS = { default: 300, max: 3600 } as const;

/** Body of `POST /api/v1/vms/:name/live-links`. */
export const CreateLiveLink = v.strictObject({
  view_only: v.pipe(v.optional(v.boolean(), false), v.description("true: who opens it may watch, never act")),
  ttl_seconds: v.optional(
    v.pipe(
      v.number("must be a number"),
      v.integer("must be a whole number"),
      v.minValue(10, "must be at least 10"),
      v.maxValue(LIVE_LINK_TTL_SECONDS.max, `must be at most ${LIVE_LINK_TTL_SECONDS.max}`),
    ),
    LIVE_LINK_TTL_SECONDS.default,
  ),
  label: v.pipe(
    v.optional(v.nullable(label), null),
    v.description("Whom it is for; shown to everybody who watches when they take control"),
  ),
});
export type CreateLiveLink = v.InferOutput<typeof CreateLiveLink>;
export type CreateLiveLinkInput = v.InferInput<typeof CreateLiveLink>;

/** A link as it is listed: what opens it is told once, when it is made. */
export const LiveLink = v.object({
  id: v.string(),
  vm_id: v.string(),
  label: v.nullable(v.string()),
  view_only: v.boolean(),
  key_id: v.pipe(v.string(), v.description("The key that made it: the link ends with it")),
  created_at: Timestamp,
  expires_at: Timestamp,
  revoked_at: v.nullable(Timestamp),
  watchers: v.pipe(v.number(), v.integer(), v.description("Pages that watch by it now")),
});
export type LiveLink = v.InferOutput<typeof LiveLink>;
export const LiveLinkList = v.object({ items: v.array(LiveLink) });
export type LiveLinkList = v.InferOutput<typeof LiveLinkList>;

export const CreatedLiveLink = v.object({
  ...LiveLink.entries,
  url: v.pipe(v.string(), v.description("Opens the page; a secret, told this once")),
});
export type CreatedLiveLink = v.InferOutput<typeof CreatedLiveLink>;

/** `GET /live/:name/link`: what the page may know of its own link. */
export const OwnLiveLink = v.object({
  id: v.string(),
  label: v.nullable(v.string()),
  view_only: v.boolean(),
  expires_at: Timestamp,
  vm: v.object({ name: v.string(), status: v.string() }),
});
export type OwnLiveLink = v.InferOutput<typeof OwnLiveLink>;

/** A person has the browser in their hands. Advisory: automation is told, never blocked. */
export const Control = v.object({
  holder: v.literal("human"),
  link: v.pipe(
    v.nullable(v.string()),
    v.description("Link of the page that has it; null: taken by the API for somebody"),
  ),
  label: v.pipe(v.nullable(v.string()), v.description("Who it is, as far as it was said")),
  since: Timestamp,
});
export type Control = v.InferOutput<typeof Control>;

/** Body of `POST /api/v1/vms/:name/control`. */
export const SetControl = v.variant(
  "action",
  [
    v.strictObject({
      action: v.literal("take"),
      holder: v.pipe(v.optional(v.nullable(label), null), v.description("Whose hands it is for")),
      force: v.pipe(v.optional(v.boolean(), false), v.description("Also when somebody has it")),
    }),
    v.strictObject({ action: v.literal("return") }),
  ],
  "must be take or return",
);
export type SetControl = v.InferOutput<typeof SetControl>;
export type SetControlInput = v.InferInput<typeof SetControl>;

/** `GET /api/v1/vms/:name/control`. */
export const ControlState = v.object({
  control: v.pipe(v.nullable(Control), v.description("null: nobody has it, automation goes on")),
});
export type ControlState = v.InferOutput<typeof ControlState>;

/** What the page says to the server itself; everything else it says is a LiveCommand. */
export const PageCommand = v.variant("type", [
  v.strictObject({ type: v.literal("take"), force: v.optional(v.boolean(), false) }),
  v.strictObject({ type: v.literal("return") }),
]);
export type PageCommand = v.InferOutput<typeof PageCommand>;

/** What the server itself says to the page; everything else it is sent is a LiveMessage or a picture. */
export const PageMessage = v.variant("type", [
  /** First of all. */
  v.object({ type: v.literal("link"), link: OwnLiveLink }),
  /** Then, and whenever somebody takes or returns control, comes or goes. */
  v.object({
    type: v.literal("control"),
    control: v.nullable(Control),
    /** It is this page that has it. */
    mine: v.boolean(),
    /** Pages that watch this VM. */
    watchers: v.number(),
  }),
]);
export type PageMessage = v.InferOutput<typeof PageMessage>;
