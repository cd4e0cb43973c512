/** Schemes that need no `//`. */
const OPAQUE = /^(about|blob|chrome|data|javascript|view-source):/i;
const LOCAL = /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\])([:/]|$)/i;

/** What a person types in an address bar becomes a URL: `example.com` is https, bare addresses and localhost are http. */
export function pageUrl(text: string): string {
  if (text.includes("://") || OPAQUE.test(text)) return text;
  return `${LOCAL.test(text) ? "http" : "https"}://${text}`;
}
