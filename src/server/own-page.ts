import { createHash } from "node:crypto";

export type OwnPage = {
  document: string;
  /** As they stand in the document, to the character: the policy names them by their digests. */
  script: string;
  style: string;
  /** Sources of images, as a content security policy names them. */
  images: string;
  headers?: Record<string, string>;
};

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * A page of our own: its one script and style and nothing else, no frame around it, no form, and markup from text is refused by the
 * browser itself (Trusted Types). It may connect to this server only.
 */
export function ownPage({ document, script, style, images, headers }: OwnPage): () => Response {
  const all = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": [
      "default-src 'none'",
      `script-src ${sha256(script)}`,
      `style-src ${sha256(style)}`,
      `img-src ${images}`,
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
    ...headers,
  };
  return () => new Response(document, { headers: all });
}
