import { type Content, HypeError, type PageContent } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { endRunawayScript } from "./runaway.ts";
import type { TabSession } from "./tabs.ts";

/** Largest page content returned, characters. */
export const MAX_CONTENT_CHARS = 16 * 1024 * 1024;

/** Both read the live document, not what the network once sent. */
const READ = {
  html: "(document.doctype ? new XMLSerializer().serializeToString(document.doctype) + '\\n' : '') + (document.documentElement?.outerHTML ?? '')",
  text: "document.body?.innerText ?? document.documentElement?.textContent ?? ''",
} as const;

/** @throws HypeError `result_too_large` | `operation_timeout` | `evaluation_failed` */
export async function content(tab: TabSession, request: Content, signal: AbortSignal): Promise<PageContent> {
  try {
    const { frameTree } = await tab.send("Page.getFrameTree", undefined, signal);
    // An isolated world sees the page's document but not what the page's scripts made of the built-ins.
    const { executionContextId } = await tab.send(
      "Page.createIsolatedWorld",
      { frameId: frameTree.frame.id, worldName: "hype-content" },
      signal,
    );
    const { result } = await tab.send(
      "Runtime.evaluate",
      {
        contextId: executionContextId,
        expression: `(()=>{const text=${READ[request.format]};return text.length>${MAX_CONTENT_CHARS}?text.length:text})()`,
      },
      signal,
    );
    if (typeof result.value === "number")
      throw new HypeError(
        "result_too_large",
        `the content has ${result.value} characters, the limit is ${MAX_CONTENT_CHARS}`,
      );
    return { tab: tab.id, ...(await tab.info(signal)), format: request.format, content: String(result.value ?? "") };
  } catch (thrown) {
    if (signal.aborted) await endRunawayScript(tab);
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", `the page could not be read: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}
