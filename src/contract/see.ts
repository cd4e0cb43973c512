import * as v from "valibot";
import { elementFields, onTab } from "./browser.ts";

/** What a page shows: snapshot, links, find, PDF. */
export const Snapshot = v.strictObject({
  ...elementFields,
  max_chars: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(200),
      v.maxValue(4_000_000),
      v.description("Characters; default 400000"),
    ),
    400_000,
  ),
  ...onTab,
});
export type Snapshot = v.InferOutput<typeof Snapshot>;
/** `yaml` is the accessibility tree: `- button "Go" [ref=e7]`; a truncated one ends with a comment that says so. */
export const PageSnapshot = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  yaml: v.string(),
  truncated: v.boolean(),
});
export type PageSnapshot = v.InferOutput<typeof PageSnapshot>;

const limit = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 1_000);
export const Links = v.strictObject({ limit, frame: elementFields.frame, ...onTab });
export type Links = v.InferOutput<typeof Links>;
export const LinkList = v.object({
  tab: v.string(),
  items: v.array(v.object({ ref: v.string(), text: v.string(), url: v.string() })),
  total: v.number(),
});
export type LinkList = v.InferOutput<typeof LinkList>;

export const Find = v.pipe(
  v.strictObject({
    text: v.optional(
      v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(8_192),
        v.description('Words, any case; in "quotes": all of a text'),
      ),
    ),
    regex: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(8_192))),
    flags: v.optional(v.pipe(v.string(), v.regex(/^[imsu]{0,4}$/)), ""),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 50),
    frame: elementFields.frame,
    ...onTab,
  }),
  v.check(({ text, regex }) => (text === undefined) !== (regex === undefined), "give either text or regex"),
);
export type Find = v.InferOutput<typeof Find>;
export const FoundList = v.object({
  tab: v.string(),
  items: v.array(
    v.object({
      ref: v.string(),
      role: v.nullable(v.string()),
      name: v.string(),
      text: v.string(),
      visible: v.boolean(),
    }),
  ),
  total: v.number(),
});
export type FoundList = v.InferOutput<typeof FoundList>;

const inches = v.pipe(v.number(), v.minValue(0), v.maxValue(200));
/** Names, defaults and units are those of DevTools' Page.printToPDF: inches, US letter. */
export const Pdf = v.strictObject({
  landscape: v.optional(v.boolean(), false),
  display_header_footer: v.optional(v.boolean(), false),
  print_background: v.optional(v.boolean(), false),
  scale: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(2)), 1),
  format: v.optional(v.picklist(["letter", "legal", "tabloid", "ledger", "a0", "a1", "a2", "a3", "a4", "a5", "a6"])),
  paper_width: v.optional(inches),
  paper_height: v.optional(inches),
  margin_top: v.optional(inches),
  margin_bottom: v.optional(inches),
  margin_left: v.optional(inches),
  margin_right: v.optional(inches),
  page_ranges: v.optional(
    v.pipe(v.string(), v.maxLength(1_000), v.regex(/^[\d\s,-]*$/, "ranges look like 1-5, 8")),
    "",
  ),
  header_template: v.optional(v.pipe(v.string(), v.maxLength(100_000))),
  footer_template: v.optional(v.pipe(v.string(), v.maxLength(100_000))),
  prefer_css_page_size: v.optional(v.boolean(), false),
  tagged: v.optional(v.boolean(), true),
  outline: v.optional(v.boolean(), false),
  ...onTab,
});
export type Pdf = v.InferOutput<typeof Pdf>;
/** The reply is the document's bytes, `Content-Type: application/pdf`. */
