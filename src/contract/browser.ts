import * as v from "valibot";

/** Twice what Playwright waits: an emulated guest on a busy host is slow, not broken. */
const timeoutMs = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(300_000), v.description("Milliseconds; default 60000")),
  60_000,
);
const tab = v.optional(
  v.pipe(
    v.string(),
    v.maxLength(64),
    v.regex(/^[A-Za-z0-9-]+$/),
    v.description("CDP target id; default: the tab used last"),
  ),
);

export const Navigate = v.strictObject({
  url: v.pipe(v.string(), v.minLength(1), v.maxLength(2_097_152)),
  wait_until: v.optional(v.picklist(["commit", "domcontentloaded", "load"]), "load"),
  timeout_ms: timeoutMs,
  tab,
});
export type Navigate = v.InferOutput<typeof Navigate>;
export const Navigated = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  status: v.nullable(v.number()),
});
export type Navigated = v.InferOutput<typeof Navigated>;

export const Evaluate = v.strictObject({
  expression: v.pipe(v.string(), v.minLength(1), v.maxLength(900_000)),
  await_promise: v.optional(v.boolean(), true),
  timeout_ms: timeoutMs,
  tab,
});
export type Evaluate = v.InferOutput<typeof Evaluate>;
/** `value` is JSON; things JSON has no word for (undefined, NaN, functions) come as null with `type` and `description`. */
export const Evaluated = v.object({
  tab: v.string(),
  type: v.string(),
  value: v.unknown(),
  description: v.nullable(v.string()),
});
export type Evaluated = v.InferOutput<typeof Evaluated>;

export const Screenshot = v.strictObject({
  format: v.optional(v.picklist(["png", "jpeg", "webp"]), "png"),
  quality: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  full_page: v.optional(v.boolean(), false),
  timeout_ms: timeoutMs,
  tab,
});
export type Screenshot = v.InferOutput<typeof Screenshot>;
/** The reply of a screenshot is the image's bytes, `Content-Type: image/<format>`. */

export const Content = v.strictObject({
  format: v.optional(v.picklist(["html", "text"]), "html"),
  timeout_ms: timeoutMs,
  tab,
});
export type Content = v.InferOutput<typeof Content>;
export const PageContent = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  format: v.string(),
  content: v.string(),
});
export type PageContent = v.InferOutput<typeof PageContent>;

export const Tab = v.object({ id: v.string(), url: v.string(), title: v.string() });
export type Tab = v.InferOutput<typeof Tab>;
export const TabList = v.object({ items: v.array(Tab) });
export type TabList = v.InferOutput<typeof TabList>;

/** Body of `POST /api/v1/vms/:name/cdp-token`. */
export const MintCdpToken = v.strictObject({
  ttl_seconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)), 3600),
});
/** `ws_url` serves Playwright's connectOverCDP and Puppeteer's browserWSEndpoint; `http_url` is the base of /json/version. */
export const CdpToken = v.object({
  token: v.string(),
  expires_at: v.string(),
  ws_url: v.string(),
  http_url: v.string(),
});
export type CdpToken = v.InferOutput<typeof CdpToken>;
