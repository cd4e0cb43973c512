import * as v from "valibot";
import { cleanFileName, Content, Evaluate, Find, Navigate, Pdf, Revisit, Screenshot, Wait } from "../contract/index.ts";
import { elementOf, onPage, optionalTarget, snapshot, timeoutMs, unlisted, words } from "./fields.ts";
import { artifactLink } from "./artifacts.ts";
import { downloadLine } from "./files.ts";
import { cut, fenced, joined, line, listed, pageHead, section } from "./markdown.ts";
import { onTab, type OnTab } from "./on-tab.ts";
import { pageResult, PlaceShown, SNAPSHOT_CHARACTERS, snapshotOf } from "./page-result.ts";
import { parsed } from "./parse.ts";
import { tellWaiting } from "./tell-waiting.ts";
import { family } from "./tool.ts";

const tool = family("browser");
const MARKDOWN_CHARACTERS = 40_000;
const VALUE_CHARACTERS = 40_000;

const timed = (timeout: number | undefined) => (timeout === undefined ? {} : { timeout_ms: timeout });

export const pageTools = [
  tool({
    name: "browser_navigate",
    title: "Open a URL",
    description: "Opens a URL in your tab and waits for it to load.",
    isDefault: true,
    input: v.strictObject({ ...onPage, url: words(2_097_152), snapshot, timeout_ms: timeoutMs }),
    isOpenWorld: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const request = v.parse(Navigate, { url: withScheme(input.url), tab: on.tab, ...timed(input.timeout_ms) });
        const navigated = await on.guest.navigate(request, on.signal);
        const failed = (navigated.status ?? 200) >= 400 && `The server answered ${navigated.status}.`;
        return pageResult(on, navigated, input.snapshot, ...(failed ? [failed] : []));
      }),
  }),
  ...(["back", "forward", "reload"] as const).map((way) =>
    tool({
      name: way === "reload" ? "browser_reload" : `browser_navigate_${way}`,
      title: way === "reload" ? "Reload the page" : `Go ${way}`,
      description: way === "reload" ? "Reloads the page." : `Goes ${way} in your tab's history.`,
      isDefault: way === "back",
      input: v.strictObject({ ...onPage, snapshot }),
      output: way === "back" ? null : PlaceShown,
      isOpenWorld: true,
      handle: (input, context) =>
        onTab(context, input, async (on) =>
          pageResult(on, await on.guest[way](v.parse(Revisit, { tab: on.tab }), on.signal), input.snapshot),
        ),
    }),
  ),
  tool({
    name: "browser_snapshot",
    title: "Page snapshot",
    description: "The page as an accessibility tree with refs to act on. Better than a screenshot for acting.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      max_chars: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(400_000)), SNAPSHOT_CHARACTERS),
      depth: unlisted(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
    effect: "read",
    isIdempotent: true,
    handle: ({ target, max_chars, depth, ...place }, context) =>
      onTab(context, place, (on) => snapshotOf(on, { ...elementOf(target), max_chars }, depth)),
  }),
  tool({
    name: "browser_find",
    title: "Find on the page",
    description: "Finds elements by text or regular expression and gives their refs. Cheaper than a snapshot.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      text: v.optional(words()),
      regex: v.optional(words()),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200)), 20),
    }),
    effect: "read",
    isIdempotent: true,
    handle: ({ vm, tab, ...wanted }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const { items, total } = await on.guest.page.find(parsed(Find, { ...wanted, tab: on.tab }), on.signal);
        if (total === 0) return { text: "Nothing matches.", structured: { items, total } };
        const lines = items.map(
          ({ ref, role, name, text, visible }) =>
            `[ref=${ref}] ${role ?? "text"} "${line(name || text, 200)}"${visible ? "" : " (not visible)"}`,
        );
        const more = total > items.length ? `${total - items.length} more match.` : "";
        return { text: joined(listed(lines), more), structured: { items, total } };
      }),
  }),
  tool({
    name: "browser_take_screenshot",
    title: "Screenshot",
    description: "Picture of the page, an element or the full page. To act, take a browser_snapshot.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      type: v.optional(v.picklist(["png", "jpeg", "webp"]), "png"),
      fullPage: v.optional(v.boolean(), false),
      scale: unlisted(v.picklist(["css", "device"])),
    }),
    effect: "read",
    isIdempotent: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const request = parsed(Screenshot, {
          ...elementOf(input.target),
          format: input.type,
          full_page: input.fullPage,
          ...(input.scale && { scale: input.scale === "css" ? 1 : await pixelRatio(on) }),
          tab: on.tab,
        });
        const { bytes, contentType } = await on.guest.screenshot(request, on.signal);
        return { text: `Screenshot of tab ${on.tab}`, images: [{ bytes, mimeType: contentType }] };
      }),
  }),
  tool({
    name: "page_markdown",
    title: "Page as Markdown",
    description: "Text of the page (or of `target`) as Markdown, to read it; full: with navigation and footers.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      full: v.optional(v.boolean(), false),
      max_chars: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(1_000_000)),
        MARKDOWN_CHARACTERS,
      ),
    }),
    effect: "read",
    isIdempotent: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const request = parsed(Content, {
          ...elementOf(input.target),
          format: "markdown",
          readable: !input.full,
          tab: on.tab,
        });
        const { content, ...place } = await on.guest.content(request, on.signal);
        const text = cut(content, input.max_chars, "raise max_chars, or name a target");
        return { text: joined(pageHead(place), section("Content", text)) };
      }),
  }),
  tool({
    name: "browser_evaluate",
    title: "Run JavaScript in the page",
    description:
      "Runs a function in the page, e.g. () => document.title, or (element) => … with a target; gives its JSON.",
    isDefault: true,
    input: v.strictObject({ ...onPage, function: words(900_000), target: optionalTarget, timeout_ms: timeoutMs }),
    isOpenWorld: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const request = parsed(Evaluate, {
          expression: input.function,
          ...(input.target === undefined ? calls(input.function) : elementOf(input.target)),
          tab: on.tab,
          ...timed(input.timeout_ms),
        });
        const { value, type, description } = await on.guest.evaluate(request, on.signal);
        const json = value === null ? (description ?? "null") : JSON.stringify(value, null, 2);
        const text = cut(json, VALUE_CHARACTERS, "return less");
        return { text: section("Result", fenced(text, "json")), structured: { value, type } };
      }),
  }),
  tool({
    name: "browser_wait_for",
    title: "Wait for something",
    description:
      "Waits for text to appear or go, a selector, a URL (glob), a download to end (name, glob; * any), or a time in seconds. Give one.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      text: v.optional(words()),
      textGone: v.optional(words()),
      selector: v.optional(words()),
      url: v.optional(words()),
      download: v.optional(words(1_024)),
      time: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(60))),
      timeout_ms: timeoutMs,
    }),
    effect: "read",
    handle: ({ vm, tab, time, textGone, download, timeout_ms: timeout, ...rest }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const condition = {
          ...rest,
          ...(textGone !== undefined && { text_gone: textGone }),
          ...(download !== undefined && { download: download === "*" ? true : { name: download } }),
        };
        if (time !== undefined && Object.keys(condition).length === 0) {
          const ms = Math.max(1, Math.round(time * 1_000));
          const request = { ms, tab: on.tab, timeout_ms: ms + 10_000 };
          const pausing = () => on.guest.page.act("pause", request, on.signal);
          const acted = await tellWaiting(context, ms, () => "the time runs", pausing);
          return pageResult(on, acted, false);
        }
        const request = parsed(Wait, { ...condition, tab: on.tab, ...timed(timeout) });
        const what = () => (download === undefined ? "waiting for the page" : "waiting for a download to end");
        const waiting = () => on.guest.page.wait(request, on.signal);
        const waited = await tellWaiting(context, request.timeout_ms, what, waiting);
        if (!waited.download) return pageResult(on, waited, false);
        const { id, name, state } = waited.download;
        const text = `${downloadLine(waited.download)}\nSee it with browser_downloads, keep it with artifact_keep_download.`;
        return {
          text,
          structured: { tab: waited.tab, url: waited.url, title: waited.title, download: { id, name, state } },
        };
      }),
  }),
  tool({
    name: "browser_pdf_save",
    title: "Print to PDF",
    description: "Prints the page to PDF, kept on the host as an artifact.",
    input: v.strictObject({
      ...onPage,
      format: v.optional(v.picklist(["letter", "legal", "a3", "a4", "a5"]), "a4"),
      landscape: v.optional(v.boolean(), false),
      filename: unlisted(words(1_024)),
    }),
    output: v.object({ artifact: v.string(), bytes: v.number() }),
    handle: ({ vm, tab, filename = "", ...wanted }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const bytes = await on.guest.page.pdf(
          v.parse(Pdf, { ...wanted, print_background: true, tab: on.tab }),
          on.signal,
        );
        const name = cleanFileName(filename, `${vm}-page.pdf`);
        const kept = await context.house.keep(vm, { kind: "pdf", name, contentType: "application/pdf", bytes });
        return {
          text: `PDF of ${bytes.length} bytes, artifact ${kept.id} (${line(kept.name, 200)})`,
          structured: { artifact: kept.id, bytes: bytes.length },
          links: [artifactLink(kept)],
        };
      }),
  }),
];

/** Device pixels per CSS pixel, within what a picture may have. */
async function pixelRatio(on: OnTab): Promise<number> {
  const request = v.parse(Evaluate, { expression: "devicePixelRatio", tab: on.tab });
  const { value } = await on.guest.evaluate(request, on.signal);
  return typeof value === "number" ? Math.min(4, Math.max(0.1, value)) : 1;
}

/** `example.com` and `localhost:3000` are meant as a person types them. */
function withScheme(typed: string): string {
  const url = typed.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) && !/^[\w.-]+:\d+(\/|$)/.test(url)) return url;
  return `${/^(localhost|[\d.]+)(:|\/|$)/.test(url) ? "http" : "https"}://${url}`;
}

/** A function is called; an expression is taken as it is. */
const calls = (text: string) =>
  /^\s*(async\s+)?(function\b|\([^)]*\)\s*=>|[A-Za-z_$][\w$]*\s*=>)/.test(text) ? { args: [] } : {};
