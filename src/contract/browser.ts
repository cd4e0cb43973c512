import * as v from "valibot";
import { timeoutMs } from "./operation.ts";

const tab = v.optional(
  v.pipe(
    v.string(),
    v.maxLength(64),
    v.regex(/^[A-Za-z0-9-]+$/),
    v.description("CDP target id; default: the tab used last"),
  ),
);
/** Every operation on a tab takes these two. */
export const onTab = { timeout_ms: timeoutMs, tab };
const waitUntil = v.optional(v.picklist(["commit", "domcontentloaded", "load", "networkidle"]), "load");
const coordinate = v.pipe(v.number(), v.minValue(-100_000), v.maxValue(100_000));
const side = v.pipe(v.number(), v.minValue(1), v.maxValue(16_384));

/** `e7` or, in a frame or a later document of the tab, `f2e7`: given by a snapshot, good for as long as its document lives. */
export const ref = v.pipe(v.string(), v.regex(/^(?:f\d{1,9})?e\d{1,9}$/, "a ref looks like e7 or f2e7"));
export const selector = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(8_192),
  v.description('CSS, text=words, role=button[name="Go"] or xpath=…; parts joined by >>, nth=0 picks one'),
);
/** Which element is meant: by ref or by selector; `frame` is the ref or selector of the iframe that the selector is for. */
export const elementFields = {
  ref: v.optional(ref),
  selector: v.optional(selector),
  frame: v.optional(v.pipe(selector, v.description("Ref or selector of the iframe in which `selector` is looked for"))),
};

export const Navigate = v.strictObject({
  url: v.pipe(v.string(), v.minLength(1), v.maxLength(2_097_152)),
  wait_until: waitUntil,
  ...onTab,
});
export type Navigate = v.InferOutput<typeof Navigate>;
const milliseconds = v.nullable(v.number());
/** What has a default here is not said by the agents of older VMs, which a newer server takes up. */
export const Navigated = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  status: v.nullable(v.number()),
  redirects: v.optional(
    v.pipe(
      v.array(v.object({ url: v.string(), status: v.number() })),
      v.description("The answers that sent the browser on, first to last"),
    ),
    [],
  ),
  timings: v.optional(
    v.nullable(
      v.object({
        commit_ms: milliseconds,
        domcontentloaded_ms: milliseconds,
        load_ms: milliseconds,
        total_ms: v.number(),
      }),
    ),
    null,
  ),
});
export type Navigated = v.InferOutput<typeof Navigated>;

/** Body of reload, back and forward. */
export const Revisit = v.strictObject({
  wait_until: waitUntil,
  ignore_cache: v.optional(v.pipe(v.boolean(), v.description("Of reload: fetch everything anew")), false),
  ...onTab,
});
export type Revisit = v.InferOutput<typeof Revisit>;
/** Body of operations that need nothing but a tab: stop, activate, close. */
export const OnTab = v.strictObject(onTab);
export type OnTab = v.InferOutput<typeof OnTab>;
export const TabState = v.object({ tab: v.string(), url: v.string(), title: v.string() });
export type TabState = v.InferOutput<typeof TabState>;

export const Evaluate = v.strictObject({
  expression: v.pipe(v.string(), v.minLength(1), v.maxLength(900_000)),
  args: v.optional(
    v.pipe(
      v.array(v.unknown()),
      v.maxLength(100),
      v.description("When given (or `ref`, `selector`), `expression` is a function and is called with them"),
    ),
  ),
  ...elementFields,
  await_promise: v.optional(v.boolean(), true),
  encoding: v.optional(
    v.pipe(
      v.picklist(["json", "rich"]),
      v.description("How `value` and `args` are written; rich: also what JSON has no word for, see docs/browser.md"),
    ),
  ),
  ...onTab,
});
export type Evaluate = v.InferOutput<typeof Evaluate>;
/**
 * `value` is JSON; things JSON has no word for (undefined, NaN, functions) come as null with `type` and `description`. With
 * `encoding: "rich"` it is a {@link RichValue}.
 */
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
  ...elementFields,
  clip: v.optional(
    v.pipe(
      v.strictObject({ x: coordinate, y: coordinate, width: side, height: side }),
      v.description("CSS pixels from the upper left corner of the page"),
    ),
  ),
  scale: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0.1),
      v.maxValue(4),
      v.description("Pixels of the image per CSS pixel; default: the tab's own"),
    ),
  ),
  ...onTab,
});
export type Screenshot = v.InferOutput<typeof Screenshot>;
/** The reply of a screenshot is the image's bytes, `Content-Type: image/<format>`. */

export const Content = v.strictObject({
  format: v.optional(v.picklist(["html", "text", "markdown"]), "html"),
  ...elementFields,
  readable: v.optional(
    v.pipe(v.boolean(), v.description("Of markdown: only the page's article, without what stands around it")),
    true,
  ),
  ...onTab,
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

export const Tab = v.object({
  id: v.string(),
  url: v.string(),
  title: v.string(),
  active: v.optional(v.pipe(v.boolean(), v.description("The tab used when an operation names none")), false),
  isolated: v.optional(v.pipe(v.boolean(), v.description("Has cookies and storage of its own")), false),
  context: v.optional(
    v.pipe(v.nullable(v.string()), v.description("The browser context it belongs to; null: the browser's own")),
    null,
  ),
  opener: v.optional(v.pipe(v.nullable(v.string()), v.description("The tab whose page opened it")), null),
});
export type Tab = v.InferOutput<typeof Tab>;
export const TabList = v.object({ items: v.array(Tab) });
export type TabList = v.InferOutput<typeof TabList>;
export const OpenTab = v.strictObject({
  url: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(2_097_152)), "about:blank"),
  background: v.optional(
    v.pipe(v.boolean(), v.description("Operations that name no tab go on using the present one")),
    false,
  ),
  isolated: v.optional(
    v.pipe(v.boolean(), v.description("Cookies and storage of its own, gone with its last tab")),
    false,
  ),
  context: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/), v.description("Open beside the isolated tabs of this context")),
  ),
  wait_until: waitUntil,
  timeout_ms: timeoutMs,
});
export type OpenTab = v.InferOutput<typeof OpenTab>;
/** `navigated` is null for a tab that was opened empty. */
export const OpenedTab = v.object({
  tab: v.string(),
  context: v.nullable(v.string()),
  navigated: v.nullable(Navigated),
});
export type OpenedTab = v.InferOutput<typeof OpenedTab>;
export const ClosedTab = v.object({ tab: v.string() });
export type ClosedTab = v.InferOutput<typeof ClosedTab>;

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
