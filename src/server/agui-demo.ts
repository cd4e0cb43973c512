import { createHash } from "node:crypto";
import { DEMO_DOCUMENT, DEMO_SCRIPT, DEMO_STYLE } from "../agui-page/document.ts";

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The page's own script and style and nothing else, no frame around it. It shows nothing until a key is typed in, which stays in the tab. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `script-src ${sha256(DEMO_SCRIPT)}`,
    `style-src ${sha256(DEMO_STYLE)}`,
    "img-src data:",
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
  "cache-control": "no-cache",
};

export const demoPage = (): Response => new Response(DEMO_DOCUMENT, { headers: HEADERS });
