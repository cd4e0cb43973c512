import type { Emulation } from "../../src/contract/index.ts";
import type { Commands, Params } from "../cdp/connection.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import { userAgentOverride } from "./user-agent.ts";

/** One DevTools command that carries some of the settings. */
export type Order = {
  name: string;
  /** Which targets it concerns. */
  isFor(target: OverlayTarget): boolean;
  /** Its parameters under these settings; null: nothing is set, and `off` takes an earlier order back. */
  params(settings: Emulation, browserUserAgent: string): object | null;
  method: keyof Commands;
  off: { method: keyof Commands; params: object };
};

const order = <M extends keyof Commands, O extends keyof Commands>(
  name: string,
  isFor: Order["isFor"],
  method: M,
  params: (settings: Emulation, browserUserAgent: string) => Params<M> | null,
  off: [O, Params<O>],
): Order => ({ name, isFor, method, params: params as Order["params"], off: { method: off[0], params: off[1] ?? {} } });

const tabs = (target: OverlayTarget) => target.isTab;
const documents = (target: OverlayTarget) => !target.isWorker;
const all = () => true;
const UNLIMITED = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };

/** Bytes a second, as DevTools count; -1: unlimited. */
const throughput = (kbps: number | undefined): number => (kbps === undefined ? -1 : (kbps * 1000) / 8);

export const ORDERS: readonly Order[] = [
  order(
    "viewport",
    tabs,
    "Emulation.setDeviceMetricsOverride",
    ({ viewport, device_scale_factor: scale, mobile }) =>
      viewport == null && scale == null && mobile == null
        ? null
        : {
            width: viewport?.width ?? 0, // 0: as it is
            height: viewport?.height ?? 0,
            deviceScaleFactor: scale ?? 0,
            mobile: mobile ?? false,
            ...(viewport && {
              screenWidth: viewport.width,
              screenHeight: viewport.height,
              screenOrientation:
                viewport.width > viewport.height
                  ? { type: "landscapePrimary" as const, angle: mobile ? 90 : 0 }
                  : { type: "portraitPrimary" as const, angle: 0 },
            }),
          },
    ["Emulation.clearDeviceMetricsOverride", undefined],
  ),
  order(
    "touch",
    documents,
    "Emulation.setTouchEmulationEnabled",
    ({ touch }) => (touch == null ? null : { enabled: touch, ...(touch && { maxTouchPoints: 5 }) }),
    ["Emulation.setTouchEmulationEnabled", { enabled: false }],
  ),
  order(
    "user_agent",
    all,
    "Emulation.setUserAgentOverride",
    ({ user_agent, accept_language, locale, client_hints }, own) =>
      user_agent == null && accept_language == null && locale == null
        ? null
        : userAgentOverride(user_agent ?? own, accept_language ?? locale ?? undefined, client_hints),
    ["Emulation.setUserAgentOverride", { userAgent: "" }],
  ),
  order(
    "locale",
    all,
    "Emulation.setLocaleOverride",
    ({ locale }) => (locale == null ? null : { locale: locale.replaceAll("-", "_") }),
    ["Emulation.setLocaleOverride", {}],
  ),
  order(
    "timezone",
    all,
    "Emulation.setTimezoneOverride",
    ({ timezone }) => (timezone == null ? null : { timezoneId: timezone }),
    ["Emulation.setTimezoneOverride", { timezoneId: "" }],
  ),
  order("geolocation", tabs, "Emulation.setGeolocationOverride", ({ geolocation }) => geolocation ?? null, [
    "Emulation.clearGeolocationOverride",
    undefined,
  ]),
  order(
    "media",
    documents,
    "Emulation.setEmulatedMedia",
    (settings) => {
      const features = [
        { name: "prefers-color-scheme", value: settings.color_scheme },
        { name: "prefers-reduced-motion", value: settings.reduced_motion },
        { name: "forced-colors", value: settings.forced_colors },
        { name: "prefers-contrast", value: settings.contrast },
      ].flatMap(({ name, value }) => (value == null ? [] : [{ name, value }]));
      return features.length === 0 && settings.media == null ? null : { media: settings.media ?? "", features };
    },
    ["Emulation.setEmulatedMedia", { media: "", features: [] }],
  ),
  order(
    "network",
    all,
    "Network.emulateNetworkConditions",
    ({ offline, network }) =>
      !offline && network == null
        ? null
        : {
            offline: offline ?? false,
            latency: network?.latency_ms ?? 0,
            downloadThroughput: throughput(network?.download_kbps),
            uploadThroughput: throughput(network?.upload_kbps),
          },
    ["Network.emulateNetworkConditions", UNLIMITED],
  ),
  order(
    "extra_headers",
    all,
    "Network.setExtraHTTPHeaders",
    ({ extra_headers }) => (extra_headers == null ? null : { headers: extra_headers }),
    ["Network.setExtraHTTPHeaders", { headers: {} }],
  ),
  order(
    "cpu_slowdown",
    tabs,
    "Emulation.setCPUThrottlingRate",
    ({ cpu_slowdown }) => (cpu_slowdown == null ? null : { rate: cpu_slowdown }),
    ["Emulation.setCPUThrottlingRate", { rate: 1 }],
  ),
];
