import type { Browser } from "../chromium/supervisor.ts";

/** Beyond so many a browser takes too long to be usable again. */
const MAX_TABS = 50;

/** Addresses of the pages a person would see in a context, oldest last as DevTools tell them. */
export async function openTabsOf(browser: Browser, contextId: string, signal: AbortSignal): Promise<string[]> {
  const { targetInfos } = await browser.running.connection.send("Target.getTargets", {}, { signal });
  return targetInfos
    .filter(
      ({ type, browserContextId, targetId }) =>
        type === "page" && browserContextId === contextId && !browser.own.has(targetId),
    )
    .map(({ url }) => url)
    .filter((url) => /^https?:/.test(url))
    .slice(0, MAX_TABS);
}

/** Opens pages anew, in the order they had, in the place of the one a browser begins with; what cannot be opened shows its error as anywhere. */
export async function reopen(browser: Browser, urls: string[], signal: AbortSignal): Promise<void> {
  if (urls.length === 0) return;
  const { connection, tabs } = browser.running;
  const first = await tabs.list(signal);
  for (const url of urls.toReversed()) await connection.send("Target.createTarget", { url }, { signal });
  for (const { id } of first.items) await tabs.close(id, signal);
}
