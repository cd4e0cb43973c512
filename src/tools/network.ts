import * as v from "valibot";
import { AddRule, Emulate, HypeError, RemoveRules, ResetEmulation, RESOURCE_TYPES, Rule } from "../contract/index.ts";
import { onPage, words } from "./fields.ts";
import { line, listed } from "./markdown.ts";
import { onTab } from "./on-tab.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("network");
const {
  color_scheme: scheme,
  media,
  timezone,
  locale,
  geolocation,
  user_agent: userAgent,
  offline,
  mobile,
} = Emulate.entries;

const { id, action, url, hits, tab } = Rule.entries;
const RuleShown = v.object({ id, action, url, hits, tab });
const NO_OVERRIDE = "no-override";
const MEDIA_FEATURES = {
  media: "media",
  colorScheme: "color_scheme", // no browser has "no-preference" for it any more: that is no override
  reducedMotion: "reduced_motion",
  forcedColors: "forced_colors",
  contrast: "contrast",
};

/** Rules and settings hold for the caller's own tab: another's is not touched. */
export const networkTools = [
  tool({
    name: "browser_emulate",
    title: "Emulate a device or place",
    description:
      "Sets what your tab pretends: colour scheme, time zone, locale, place, user agent, phone layout, no network. null takes one back; nothing given takes all back.",
    input: v.strictObject({
      ...onPage,
      color_scheme: scheme,
      media,
      timezone,
      locale,
      geolocation,
      user_agent: userAgent,
      mobile,
      offline,
    }),
    isIdempotent: true,
    handle: ({ vm, tab, ...settings }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
        const { overlay } = on.guest;
        if (Object.keys(given).length === 0) {
          await overlay.resetEmulation(v.parse(ResetEmulation, { tab: on.tab }), on.signal);
          return { text: "Nothing is emulated any more." };
        }
        const { effective } = await overlay.emulate(parsed(Emulate, { ...given, tab: on.tab }), on.signal);
        const now = Object.entries(effective).filter(([, value]) => value !== undefined && value !== null);
        return { text: listed(now.map(([name, value]) => `${name}: ${line(JSON.stringify(value))}`)) };
      }),
  }),
  tool({
    name: "browser_emulate_media",
    title: "Emulate media features",
    description: "Sets what the page's media queries see on your tab. no-override takes one back.",
    isDefaultForOne: true,
    input: v.strictObject({
      ...onPage,
      media: v.optional(v.picklist(["screen", "print", NO_OVERRIDE])),
      colorScheme: v.optional(v.picklist(["light", "dark", "no-preference", NO_OVERRIDE])),
      reducedMotion: v.optional(v.picklist(["reduce", "no-preference", NO_OVERRIDE])),
      forcedColors: v.optional(v.picklist(["active", "none", NO_OVERRIDE])),
      contrast: v.optional(v.picklist(["more", "no-preference", NO_OVERRIDE])),
    }),
    isIdempotent: true,
    handle: ({ vm, tab, ...given }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const settings = Object.entries(MEDIA_FEATURES).flatMap(([name, ours]) => {
          const value = given[name as keyof typeof MEDIA_FEATURES];
          const isNone = value === NO_OVERRIDE || (name === "colorScheme" && value === "no-preference");
          return value === undefined ? [] : [[ours, isNone ? null : value]];
        });
        if (settings.length === 0) throw new HypeError("invalid_request", "give one feature or more");
        await on.guest.overlay.emulate(parsed(Emulate, { ...Object.fromEntries(settings), tab: on.tab }), on.signal);
        return { text: listed(settings.map(([name, value]) => `${name}: ${value ?? "not overridden"}`)) };
      }),
  }),
  tool({
    name: "browser_route",
    title: "Block or mock requests",
    description:
      'From now on, requests of your tab whose URL fits the pattern (* any characters) are blocked; with body or status, answered by them; with headers ("Name: value"), sent with them.',
    input: v.strictObject({
      ...onPage,
      pattern: words(2_048),
      action: v.optional(v.picklist(["block", "mock", "headers"])),
      status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
      contentType: v.optional(words(200)),
      body: v.optional(v.string()),
      headers: v.optional(v.pipe(v.array(words(8_192)), v.maxLength(100))),
      removeHeaders: v.optional(v.pipe(words(8_192), v.description("Names, comma-separated"))),
      resourceTypes: v.optional(v.array(v.picklist(RESOURCE_TYPES))),
    }),
    output: v.object({ id: v.string() }),
    handle: ({ vm, tab, pattern, resourceTypes, ...said }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const action = actionOf(said);
        const rule = await on.guest.overlay.addRule(
          parsed(AddRule, {
            url: pattern,
            action,
            ...(resourceTypes && resourceTypes.length > 0 && { resource_types: resourceTypes }),
            tab: on.tab,
          }),
          on.signal,
        );
        return { text: `Rule ${rule.id} is set (${rule.action}).`, structured: { id: rule.id } };
      }),
  }),
  tool({
    name: "browser_route_list",
    title: "Rules for requests",
    description: "Rules set by browser_route, with how often each was used.",
    input: v.strictObject(onPage),
    output: v.object({ rules: v.array(RuleShown) }),
    effect: "read",
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const { items } = await on.guest.overlay.rules({ timeout_ms: 30_000 }, on.signal);
        const lines = items.map(
          ({ id, action, url, hits, tab }) =>
            `${id}: ${action} ${line(url)} (${hits} times${tab === on.tab ? "" : tab === null ? ", all tabs" : ", another tab"})`,
        );
        const rules = items.map(({ id, action, url, hits, tab }) => ({ id, action, url, hits, tab }));
        return { text: lines.length === 0 ? "There are no rules." : listed(lines), structured: { rules } };
      }),
  }),
  tool({
    name: "browser_unroute",
    title: "Remove rules for requests",
    description: "Removes rules: by id, or those of your tab with this pattern, or all of your tab.",
    input: v.strictObject({
      ...onPage,
      ids: v.optional(v.pipe(v.array(words(64)), v.minLength(1), v.maxLength(100))),
      pattern: v.optional(words(2_048)),
    }),
    isIdempotent: true,
    handle: ({ vm, tab, ids: named, pattern }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const { overlay } = on.guest;
        const { items } = named ? { items: [] } : await overlay.rules({ timeout_ms: 30_000 }, on.signal);
        const own = items.filter((rule) => rule.tab === on.tab && (pattern === undefined || rule.url === pattern));
        const ids = named ?? own.map(({ id }) => id);
        if (ids.length > 0) await overlay.removeRules(v.parse(RemoveRules, { ids }), on.signal); // no ids: all of all tabs
        return { text: `${ids.length} rules are removed.` };
      }),
  }),
];

type Said = {
  action?: "block" | "mock" | "headers" | undefined;
  status?: number | undefined;
  contentType?: string | undefined;
  body?: string | undefined;
  headers?: string[] | undefined;
  removeHeaders?: string | undefined;
};

/** What becomes of a request: as it is said, else as what is given goes with it. @throws HypeError invalid_request */
function actionOf({ action, status, contentType, body, headers = [], removeHeaders }: Said): object {
  const set = Object.fromEntries(headers.map(headerOf));
  const isMock = body !== undefined || status !== undefined;
  const type = action ?? (isMock ? "mock" : headers.length > 0 || removeHeaders !== undefined ? "headers" : "block");
  if (type === "block") return { type };
  if (type === "headers") {
    const remove = (removeHeaders ?? "").split(",").map((name) => name.trim());
    return { type, set, remove: remove.filter((name) => name !== "") };
  }
  const given = contentType ?? "text/plain; charset=utf-8";
  const hasType = Object.keys(set).some((name) => name.toLowerCase() === "content-type");
  const all = hasType && contentType === undefined ? set : { ...set, "content-type": given };
  return { type, status: status ?? 200, headers: all, body: body ?? "" };
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at <= 0) throw new HypeError("invalid_request", `headers: ${line(text, 100)} is no "Name: value"`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
