import { HypeError } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { leaveDialogsTo } from "../browser/dialogs.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { Emulation } from "../emulation/emulation.ts";
import { Dialogs } from "../observe/dialogs.ts";
import { Observer } from "../observe/observer.ts";
import { TabRecorder } from "../observe/tabs.ts";
import { Interceptor } from "../intercept/interceptor.ts";
import { Overlay } from "./overlay.ts";

/** What lies over the tabs of one browser. */
export type OverlayParts = {
  emulation: Emulation;
  interceptor: Interceptor;
  observer: Observer;
  dialogs: Dialogs;
  /** @throws HypeError `tab_not_found` | `browser_unavailable` */
  checkTab(tab: string | undefined, signal: AbortSignal): Promise<void>;
};

export function overlayParts(browser: Browser, log: Log): OverlayParts {
  const overlay = new Overlay(browser, log);
  const emulation = new Emulation(browser, overlay);
  const interceptor = new Interceptor(overlay, emulation);
  const observer = new Observer(overlay);
  const dialogs = new Dialogs(overlay, observer.journal);
  leaveDialogsTo(dialogs);
  new TabRecorder(browser, observer.journal);
  emulation.onCredentials(() => interceptor.apply());
  return {
    emulation,
    interceptor,
    observer,
    dialogs,
    async checkTab(tab, signal) {
      const { targetInfos } = await browser.running.connection.send("Target.getTargets", {}, { signal });
      const isThere = targetInfos.some(
        ({ type, targetId }) => type === "page" && targetId === tab && !browser.own.has(targetId),
      );
      if (tab !== undefined && !isThere) throw new HypeError("tab_not_found", `there is no tab ${tab}`, { tab });
    },
  };
}
