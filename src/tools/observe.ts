import * as v from "valibot";
import { type Entry, GetBody, HypeError, type RequestEntry } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import { onPage, words } from "./fields.ts";
import { cut, fenced, joined, line, listed, section } from "./markdown.ts";
import { onTab, type OnTab } from "./on-tab.ts";
import { family } from "./tool.ts";

const tool = family("observe");
const SHOWN = 100;
const BODY_CHARACTERS = 20_000;
const SCANNED = 5_000;
const LEVELS = ["error", "warning", "info", "debug"] as const;
/** Static: what a page looks like, not what it says. */
const STATIC = new Set(["image", "stylesheet", "font", "media", "script", "manifest", "texttrack"]);

const entriesOf = async (on: OnTab, kinds: Parameters<Guest["observe"]["list"]>[0]["kinds"]): Promise<Entry[]> =>
  (await on.guest.observe.list({ kinds, tab: on.tab, after: 0, limit: SCANNED, timeout_ms: 30_000 }, on.signal)).items;

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
    }),
    effect: "read",
    handle: ({ level, ...place }, context) =>
      onTab(context, place, async (on) => {
        const wanted = LEVELS.indexOf(level);
        const all = (await entriesOf(on, ["console", "exception"])).filter(
          (entry) => entry.kind === "exception" || (entry.kind === "console" && rank(entry.level) <= wanted),
        );
        const lines = all.slice(-SHOWN).map(consoleLine);
        const older = all.length > SHOWN && `${all.length - SHOWN} older ones are not shown.`;
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
        const all = (await entriesOf(on, ["request"])).filter(
          (entry): entry is RequestEntry =>
            entry.kind === "request" &&
            (withStatic || !STATIC.has(entry.resource_type.toLowerCase())) &&
            (filter === undefined || entry.url.includes(filter)),
        );
        const newest = [...new Map(all.map((entry) => [entry.id, entry])).values()];
        const lines = newest.slice(-SHOWN).map(requestLine);
        const older = newest.length > SHOWN && `${newest.length - SHOWN} older ones are not shown: filter them.`;
        return { text: lines.length === 0 ? "No such requests." : joined(older, listed(lines)) };
      }),
  }),
  tool({
    name: "browser_network_request",
    title: "One network request",
    description: "Headers and body of a request from browser_network_requests, by its id.",
    input: v.strictObject({
      ...onPage,
      id: words(100),
      part: v.optional(v.picklist(["headers", "response", "request"]), "response"),
    }),
    effect: "read",
    handle: ({ id, part, ...place }, context) =>
      onTab(context, place, async (on) => {
        const entry = (await entriesOf(on, ["request"])).findLast((it) => it.kind === "request" && it.id === id);
        if (entry?.kind !== "request") throw new HypeError("request_not_found", `there is no request ${line(id, 100)}`);
        const head = requestLine(entry);
        if (part === "headers") {
          const said = (headers: { name: string; value: string }[]) =>
            fenced(headers.map(({ name, value }) => `${name}: ${line(value, 2_000)}`).join("\n"));
          return {
            text: joined(
              head,
              section("Request headers", said(entry.request_headers)),
              section("Response headers", said(entry.response_headers)),
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
