import { createHash } from "node:crypto";
import { LIVE_DOCUMENT, LIVE_SCRIPT, LIVE_STYLE } from "../../live-page/document.ts";

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * The page's own script and style and nothing else: no other source of either, no frame around it, no form, and markup from text is
 * refused by the browser itself (Trusted Types). It shows nothing until a link's token, which never reaches the server's log, opens its socket.
 */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `script-src ${sha256(LIVE_SCRIPT)}`,
    `style-src ${sha256(LIVE_STYLE)}`,
    "img-src blob: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "clipboard-read=(self), clipboard-write=(self), camera=(), microphone=(), geolocation=()",
  "cache-control": "no-cache",
};

export const livePage = (): Response => new Response(LIVE_DOCUMENT, { headers: HEADERS });
