import type { Protocol } from "devtools-protocol";
import type { ClientHints } from "../../src/contract/index.ts";

/** Platforms by a word of the user agent: its name in client hints, and in navigator.platform. */
const PLATFORMS: [RegExp, name: string, navigator: string][] = [
  [/Android/, "Android", "Linux armv81"],
  [/iPhone/, "iOS", "iPhone"],
  [/iPad/, "iOS", "iPad"],
  [/Mac OS X|Macintosh/, "macOS", "MacIntel"],
  [/Windows/, "Windows", "Win32"],
  [/CrOS/, "Chrome OS", "Linux x86_64"],
  [/Linux/, "Linux", "Linux x86_64"],
];

/** Header, navigator.userAgent, navigator.platform and client hints that do not contradict each other. */
export function userAgentOverride(
  userAgent: string,
  acceptLanguage: string | undefined,
  hints: ClientHints | null | undefined,
): Protocol.Emulation.SetUserAgentOverrideRequest {
  const [, name = "", platform] = PLATFORMS.find(([pattern]) => pattern.test(userAgent)) ?? [];
  const metadata = hints ? fromHints(hints) : derived(userAgent, name);
  return {
    userAgent,
    ...(acceptLanguage && { acceptLanguage }),
    ...(platform && { platform }),
    ...(metadata && { userAgentMetadata: metadata }),
  };
}

/** Browsers that are no Chromium send no client hints. */
function derived(userAgent: string, platform: string): Protocol.Emulation.UserAgentMetadata | null {
  const [, full, major] = /Chrome\/((\d+)[\d.]*)/.exec(userAgent) ?? [];
  if (!full || !major) return null;
  const [, edge] = /Edg\/([\d.]+)/.exec(userAgent) ?? [];
  const product = edge ? "Microsoft Edge" : "Google Chrome";
  const brands = (version: string, filler: string) => [
    { brand: "Chromium", version },
    { brand: product, version: edge && version === full ? edge : version },
    { brand: "Not.A/Brand", version: filler },
  ];
  const platformVersion = /(?:Android|Windows NT|Mac OS X) ([\d._]+)/.exec(userAgent)?.[1]?.replaceAll("_", ".") ?? "";
  return {
    brands: brands(major, "24"),
    fullVersionList: brands(full, "24.0.0.0"),
    platform,
    platformVersion,
    architecture: /x86_64|Win64|x64|Macintosh/.test(userAgent) ? "x86" : "",
    bitness: /x86_64|Win64|x64|Macintosh/.test(userAgent) ? "64" : "",
    model: /Android [\d.]+; ([^);]+)/.exec(userAgent)?.[1]?.trim() ?? "",
    mobile: /Mobile/.test(userAgent),
  };
}

const fromHints = (hints: ClientHints): Protocol.Emulation.UserAgentMetadata => ({
  brands: hints.brands,
  ...(hints.full_version_list && { fullVersionList: hints.full_version_list }),
  platform: hints.platform,
  platformVersion: hints.platform_version,
  architecture: hints.architecture,
  model: hints.model,
  mobile: hints.mobile,
  bitness: hints.bitness,
});
