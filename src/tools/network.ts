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
      "From now on, requests of your tab whose URL fits the pattern (* any characters) fail, or get the body given.",
    input: v.strictObject({
      ...onPage,
      pattern: words(2_048),
      action: v.optional(v.picklist(["block", "mock"]), "block"),
      status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), 200),
      contentType: v.optional(words(200), "text/plain; charset=utf-8"),
      body: v.optional(v.string(), ""),
      resourceTypes: v.optional(v.array(v.picklist(RESOURCE_TYPES))),
    }),
    output: v.object({ id: v.string() }),
    handle: ({ vm, tab, pattern, action, status, contentType, body, resourceTypes }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        const mock = { type: "mock", status, headers: { "content-type": contentType }, body };
        const rule = await on.guest.overlay.addRule(
          parsed(AddRule, {
            url: pattern,
            action: action === "block" ? { type: "block" } : mock,
            ...(resourceTypes && resourceTypes.length > 0 && { resource_types: resourceTypes }),
            tab: on.tab,
          }),
          on.signal,
        );
        return { text: `Rule ${rule.id} is set.`, structured: { id: rule.id } };
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
    description: "Removes the rules with the ids given.",
    input: v.strictObject({ ...onPage, ids: v.pipe(v.array(words(64)), v.minLength(1), v.maxLength(100)) }),
    isIdempotent: true,
    handle: ({ vm, tab, ids }, context) =>
      onTab(context, { vm, tab }, async (on) => {
        await on.guest.overlay.removeRules(v.parse(RemoveRules, { ids }), on.signal);
        return { text: `${ids.length} rules are removed.` };
      }),
  }),
];
