import type { Settings } from "../settings.ts";

/**
 * Chromium's command line. WebGL stays (SwiftShader, started when a page asks for it); nothing a page needs is switched off,
 * only what phones home, updates itself or keeps caches a throw-away machine has no use for.
 */
export function chromiumFlags(settings: Pick<Settings, "sandbox" | "userDataDir">, proxyPort: number | null): string[] {
  return [
    ...(proxyPort === null ? [] : throughProxy(proxyPort)),
    "--headless",
    "--remote-debugging-address=127.0.0.1",
    "--remote-debugging-port=0", // any free one: Chromium says which
    `--user-data-dir=${settings.userDataDir}`,
    ...(settings.sandbox ? [] : ["--no-sandbox"]),
    "--disable-gpu",
    "--disable-dev-shm-usage", // a guest's /dev/shm is half its memory, a container's 64 MB: /tmp is the safer place
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-pings",
    // One DevTools user may watch many tabs at once: none of them is "in the background".
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-hang-monitor",
    "--disable-features=MediaRouter,OptimizationHints,Translate,DialMediaRouteProvider",
    "--disk-cache-size=67108864", // bytes; the profile lives in the guest's memory
    "--media-cache-size=33554432",
    "--window-size=1280,720",
    "about:blank",
  ];
}

/** Chromium takes its proxy at its start only, and no password for SOCKS5: it gets the forwarder on this machine (agent/proxy/). */
const throughProxy = (port: number): string[] => [
  `--proxy-server=http://127.0.0.1:${port}`,
  // Both would go past it, and tell everybody the guest's own address.
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--disable-quic",
];
