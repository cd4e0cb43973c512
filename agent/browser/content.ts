import { type Content, HypeError, type PageContent } from "../../src/contract/index.ts";
import type { PageDocument } from "./document.ts";
import { onPage, within } from "./page-call.ts";
import type { TabSession } from "./tabs.ts";

/** Largest page content returned, characters. */
export const MAX_CONTENT_CHARS = 16 * 1024 * 1024;

/**
 * The live document, or a part of it, not what the network once sent.
 * @throws HypeError `result_too_large` | `operation_timeout` | `evaluation_failed` | as the search for an element
 */
export async function content(tab: TabSession, request: Content, signal: AbortSignal): Promise<PageContent> {
  const whole = request.ref === undefined && request.selector === undefined;
  const text = await onPage(tab, signal, async () => {
    const { document, target } =
      whole && request.frame === undefined
        ? { document: await tab.frames.main(signal), target: null }
        : await tab.frames.locate(whole ? { ...request, selector: ":root" } : request, signal);
    return within(target ?? {}, () => read(document, request, whole ? null : target, signal));
  });
  if (typeof text === "number")
    throw new HypeError("result_too_large", `the content has ${text} characters, the limit is ${MAX_CONTENT_CHARS}`);
  return { tab: tab.id, ...(await tab.info(signal)), format: request.format, content: text };
}

/** A number is the length of what is too long to be sent. */
function read(
  document: PageDocument,
  { format, readable }: Content,
  target: { ref?: string; selector?: string } | null,
  signal: AbortSignal,
): Promise<string | number> {
  if (format === "markdown") return document.markdown(readable, target, MAX_CONTENT_CHARS, signal);
  return document.call(format === "html" ? "htmlOf" : "textOf", [target, MAX_CONTENT_CHARS], signal);
}
