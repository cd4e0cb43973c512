import * as v from "valibot";
import { tabOrAll, timeoutMs } from "./operation.ts";

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000));
/** null takes the override back. */
const setting = <T extends v.GenericSchema>(schema: T, meaning: string) =>
  v.pipe(v.optional(v.nullable(schema)), v.description(meaning));
const headerName = v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "not a header name"), v.maxLength(256));
// eslint-disable-next-line no-control-regex
const headerValue = v.pipe(
  v.string(),
  v.regex(/^[^\0\r\n]*$/, "a header value has no line breaks"),
  v.maxLength(65_536),
);
export const Headers = v.record(headerName, headerValue);

/** `Sec-CH-UA-*` and `navigator.userAgentData`; derived from the user agent where it is not given. */
export const ClientHints = v.strictObject({
  brands: v.array(v.strictObject({ brand: v.string(), version: v.string() })),
  full_version_list: v.optional(v.array(v.strictObject({ brand: v.string(), version: v.string() }))),
  platform: v.string(),
  platform_version: v.optional(v.string(), ""),
  architecture: v.optional(v.string(), ""),
  model: v.optional(v.string(), ""),
  mobile: v.optional(v.boolean(), false),
  bitness: v.optional(v.string(), ""),
});
export type ClientHints = v.InferOutput<typeof ClientHints>;

export const Emulation = v.strictObject({
  viewport: setting(v.strictObject({ width: side, height: side }), "CSS pixels"),
  device_scale_factor: setting(v.pipe(v.number(), v.minValue(0.1), v.maxValue(10)), "Device pixels per CSS pixel"),
  mobile: setting(v.boolean(), "Lay out as on a phone (meta viewport)"),
  touch: setting(v.boolean(), "A touch screen"),
  user_agent: setting(v.pipe(v.string(), v.minLength(1), v.maxLength(2048)), "Header and navigator.userAgent"),
  client_hints: setting(ClientHints, "With user_agent; default: derived from it"),
  accept_language: setting(v.pipe(v.string(), v.maxLength(512)), "Header and navigator.languages; default: the locale"),
  locale: setting(v.pipe(v.string(), v.maxLength(64)), "BCP 47, as de-DE"),
  timezone: setting(v.pipe(v.string(), v.maxLength(64)), "IANA name, as Europe/Berlin"),
  geolocation: setting(
    v.strictObject({
      latitude: v.pipe(v.number(), v.minValue(-90), v.maxValue(90)),
      longitude: v.pipe(v.number(), v.minValue(-180), v.maxValue(180)),
      accuracy: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
    }),
    "Degrees, metres",
  ),
  color_scheme: setting(v.picklist(["light", "dark"]), "prefers-color-scheme"),
  reduced_motion: setting(v.picklist(["reduce", "no-preference"]), "prefers-reduced-motion"),
  forced_colors: setting(v.picklist(["active", "none"]), "forced-colors"),
  contrast: setting(v.picklist(["more", "no-preference"]), "prefers-contrast"),
  media: setting(v.picklist(["screen", "print"]), "CSS media type"),
  offline: setting(v.boolean(), "No network for the page"),
  network: setting(
    v.strictObject({
      latency_ms: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(60_000)), 0),
      download_kbps: v.optional(v.pipe(v.number(), v.minValue(1), v.description("Absent: unlimited"))),
      upload_kbps: v.optional(v.pipe(v.number(), v.minValue(1), v.description("Absent: unlimited"))),
    }),
    "A slower network",
  ),
  cpu_slowdown: setting(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), "1: none, 4: a quarter of the speed"),
  extra_headers: setting(Headers, "Sent with every request of the page"),
  http_credentials: setting(
    v.strictObject({
      username: v.string(),
      password: v.string(),
      origin: v.optional(v.pipe(v.string(), v.url(), v.description("Only there; default: whoever asks"))),
    }),
    "Answer to HTTP authentication",
  ),
  permissions: setting(
    v.pipe(
      v.array(
        v.strictObject({
          name: v.pipe(v.string(), v.regex(/^[a-z-]{1,64}$/)),
          setting: v.picklist(["granted", "denied", "prompt"]),
          origin: v.optional(v.pipe(v.string(), v.url())),
        }),
      ),
      v.maxLength(1000),
    ),
    "By their names in the Permissions API; they hold for the tab's whole context",
  ),
});
export type Emulation = v.InferOutput<typeof Emulation>;

/** Fields given are changed, null takes one back, the others stay. A tab's own settings come before those for all. */
export const Emulate = v.strictObject({ ...Emulation.entries, tab: tabOrAll, timeout_ms: timeoutMs });
export type Emulate = v.InferOutput<typeof Emulate>;
export const GetEmulation = v.strictObject({ tab: tabOrAll, timeout_ms: timeoutMs });
export type GetEmulation = v.InferOutput<typeof GetEmulation>;
/** What is set; `effective` is both together. Passwords are not told. */
export const EmulationNow = v.object({
  all: Emulation,
  tab: v.nullable(Emulation),
  effective: Emulation,
});
export type EmulationNow = v.InferOutput<typeof EmulationNow>;
/** Without a tab: the settings for all and those of every tab. */
export const ResetEmulation = v.strictObject({ tab: tabOrAll, timeout_ms: timeoutMs });
export type ResetEmulation = v.InferOutput<typeof ResetEmulation>;
