import * as v from "valibot";
import { type Entry, GetBody, HypeError, type RequestEntry } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import { onPage, unlisted, words } from "./fields.ts";
import { cut, fenced, joined, line, listed, section } from "./markdown.ts";
import { onTab, type OnTab } from "./on-tab.ts";
import { family } from "./tool.ts";

const tool = family("observe");
const SHOWN = 100;
const ALL_SHOWN = 1_000;
const BODY_CHARACTERS = 20_000;
const SCANNED = 5_000;
const LEVELS = ["error", "warning", "info", "debug"] as const;
/** Static: what a page looks like, not what it says. */
const STATIC = new Set(["image", "stylesheet", "font", "media", "script", "manifest", "texttrack"]);

const entriesOf = async (on: OnTab, kinds: Parameters<Guest["observe"]["list"]>[0]["kinds"]): Promise<Entry[]> =>
  (await on.guest.observe.list({ kinds, tab: on.tab, after: 0, limit: SCANNED, timeout_ms: 30_000 }, on.signal)).items;

/** What can be asked of a request: headers of both, bodies; or one of these by Playwright's names. */
const PARTS = [
  "headers",
  "response",
  "request",
  "request-headers",
  "request-body",
  "response-headers",
  "response-body",
] as const;

/** Requests as they stand now, oldest first: their numbers are their places. */
const requestsOf = async (on: OnTab): Promise<RequestEntry[]> => {
  const all = (await entriesOf(on, ["request"])).filter((entry): entry is RequestEntry => entry.kind === "request");
  return [...new Map(all.map((entry) => [entry.id, entry])).values()];
};

/** Chromium's words and the protocol's are not the same. */
const rank = (level: string): number =>
  level === "error" || level === "assert"
    ? 0
    : level.startsWith("warn")
      ? 1
      : level === "debug" || level === "verbose"
        ? 3
        : 2;

const consoleLine = (entry: Entry): string => {
  if (entry.kind === "exception")
    return `[exception] ${line(entry.text, 2_000)} (${line(entry.url, 300)}:${entry.line})`;
  if (entry.kind !== "console") return "";
  const place = entry.url ? ` (${line(entry.url, 300)}:${entry.line})` : "";
  return `[${entry.level}] ${line(entry.text, 2_000)}${place}`;
};

const requestLine = (entry: RequestEntry): string => {
  const end =
    entry.state === "pending"
      ? "pending"
      : entry.error
        ? `failed: ${line(entry.error, 100)}`
        : `${entry.status ?? "?"}`;
  return `[${entry.id}] ${entry.method} ${line(entry.url, 500)} => ${end} (${entry.resource_type}, ${entry.body_bytes} bytes)`;
};

export const observeTools = [
  tool({
    name: "browser_console_messages",
    title: "Console messages",
    description: "Console messages and uncaught errors of your tab since you first used it.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      level: v.pipe(v.optional(v.picklist(LEVELS), "info"), v.description("This and worse")),
      all: unlisted(v.boolean()),
    }),
    effect: "read",
    handle: ({ level, all: isAll, ...place }, context) =>
      onTab(context, place, async (on) => {
        const wanted = LEVELS.indexOf(level);
        const all = (await entriesOf(on, ["console", "exception"])).filter(
          (entry) => entry.kind === "exception" || (entry.kind === "console" && rank(entry.level) <= wanted),
        );
        const shown = isAll ? ALL_SHOWN : SHOWN;
        const lines = all.slice(-shown).map(consoleLine);
        const older = all.length > shown && `${all.length - shown} older ones are not shown.`;
        return { text: lines.length === 0 ? "Nothing was said." : joined(older, listed(lines)) };
      }),
  }),
  tool({
    name: "browser_network_requests",
    title: "Network requests",
    description: "Requests of your tab since you first used it, newest last. static: with images, scripts, styles.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      filter: v.optional(v.pipe(words(2_048), v.description("Part of the URL"))),
      static: v.optional(v.boolean(), false),
    }),
    effect: "read",
    handle: ({ filter, static: withStatic, ...place }, context) =>
      onTab(context, place, async (on) => {
        const newest = (await requestsOf(on))
          .map((entry, at) => ({ entry, number: at + 1 }))
          .filter(
            ({ entry }) =>
              (withStatic || !STATIC.has(entry.resource_type.toLowerCase())) &&
              (filter === undefined || entry.url.includes(filter)),
          );
        const lines = newest.slice(-SHOWN).map(({ entry, number }) => `${number}: ${requestLine(entry)}`);
        const older = newest.length > SHOWN && `${newest.length - SHOWN} older ones are not shown: filter them.`;
        return { text: lines.length === 0 ? "No such requests." : joined(older, listed(lines)) };
      }),
  }),
  tool({
    name: "browser_network_request",
    title: "One network request",
    description: "Headers and body of a request from browser_network_requests, by id or index.",
    isDefaultForOne: true,
    input: v.strictObject({
      ...onPage,
      id: v.optional(words(100)),
      index: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.description("Its number there"))),
      part: v.optional(v.picklist(PARTS), "response"),
    }),
    effect: "read",
    handle: ({ id: wanted, index, part: named, ...place }, context) =>
      onTab(context, place, async (on) => {
        if ((wanted === undefined) === (index === undefined))
          throw new HypeError("invalid_request", "give either id or index, of browser_network_requests");
        const all = await requestsOf(on);
        const entry = index === undefined ? all.find((it) => it.id === wanted) : all[index - 1];
        if (!entry) throw new HypeError("request_not_found", `there is no request ${index ?? line(wanted ?? "", 100)}`);
        const { id } = entry;
        const part = named.endsWith("headers") ? "headers" : named.startsWith("request") ? "request" : "response";
        const head = requestLine(entry);
        if (part === "headers") {
          const said = (headers: { name: string; value: string }[]) =>
            fenced(headers.map(({ name, value }) => `${name}: ${line(value, 2_000)}`).join("\n"));
          return {
            text: joined(
              head,
              named !== "response-headers" && section("Request headers", said(entry.request_headers)),
              named !== "request-headers" && section("Response headers", said(entry.response_headers)),
            ),
          };
        }
        const bytes = await on.guest.observe.body(v.parse(GetBody, { id, of: part }), on.signal);
        return { text: joined(head, section("Body", bodyText(bytes))) };
      }),
  }),
];

function bodyText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return fenced(cut(text, BODY_CHARACTERS, "the body is longer than what is shown"));
  } catch {
    return `${bytes.length} bytes that are not text.`;
  }
}
