import { bundlePageScript } from "../page/bundle.ts" with { type: "macro" };
import type { Methods } from "../page/main.ts";

/** What runs in documents, as text. `hype` is made once per document. */
export const PAGE_SCRIPT = `globalThis.hype ?? (() => { ${bundlePageScript("main.ts")}; return globalThis.hype })()`;
export const MARKDOWN_SCRIPT = `globalThis.hypeMarkdown ?? (() => { ${bundlePageScript("markdown.ts")}; return globalThis.hypeMarkdown })()`;
export const WORLD = "hype";

export type PageMethods = Methods;
