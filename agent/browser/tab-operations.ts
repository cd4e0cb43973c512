import {
  type ClosedTab,
  HypeError,
  type Navigate,
  type Navigated,
  type OnTab,
  type OpenedTab,
  type OpenTab,
  type TabState,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { mustBeAllowed, navigate } from "./navigate.ts";
import type { Tabs } from "./tabs.ts";

const CLEAN_UP_MS = 5_000;

/**
 * Opens a tab and waits for its page. One that cannot be opened leaves no tab behind.
 * @throws HypeError `tab_not_found` for an unknown context, and as navigate
 */
export async function openTab(
  tabs: Tabs,
  request: OpenTab,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<OpenedTab> {
  mustBeAllowed(request.url);
  const { tab, context } = await tabs.open(
    request.isolated ? "new" : (request.context ?? null),
    request.background,
    signal,
  );
  try {
    let navigated: Navigated | null = null;
    if (request.url !== "about:blank") {
      const { url, wait_until, timeout_ms } = request;
      navigated = await navigate(tab, { url, wait_until, timeout_ms } satisfies Navigate, signal, note);
    }
    if (!request.background) tabs.prefer(tab);
    return { tab: tab.id, context, navigated };
  } catch (thrown) {
    await tabs.close(tab.id, AbortSignal.timeout(CLEAN_UP_MS)).catch(() => {}); // the first error is the one to tell
    throw thrown;
  }
}

export async function activateTab(tabs: Tabs, request: OnTab, signal: AbortSignal): Promise<TabState> {
  const tab = await tabs.use(request.tab, signal);
  try {
    await tabs.activate(tab.id, signal);
    return { tab: tab.id, ...(await tab.info(signal)) };
  } catch (thrown) {
    if (thrown instanceof CommandRefused)
      throw new HypeError("tab_not_found", `there is no tab ${tab.id}: ${thrown.detail}`, { tab: tab.id });
    throw thrown;
  }
}

/** Without a tab named it is the active one that closes. */
export async function closeTab(tabs: Tabs, request: OnTab, signal: AbortSignal): Promise<ClosedTab> {
  const id = request.tab ?? (await tabs.list(signal)).items.find(({ active }) => active)?.id;
  if (id === undefined) throw new HypeError("tab_not_found", "there is no tab to close");
  await tabs.close(id, signal);
  return { tab: id };
}
