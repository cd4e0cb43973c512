import { HypeError } from "../../src/contract/index.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { Context } from "./context.ts";
import { type KnownOrigins, Origins } from "./origins.ts";
import type { OwnTargets } from "./own-targets.ts";

/** Cookies and storage of one browser: finds the context an operation means, and the origins it holds. */
export class State {
  #origins: Origins;

  constructor(
    private readonly browser: Browser,
    profile: string,
  ) {
    this.#origins = new Origins(profile, browser.own);
    const watch = () => browser.runningOrNull && this.#origins.watch(browser.runningOrNull.connection);
    browser.subscribe(({ type }) => type === "browser_ready" && watch());
    watch();
  }

  get own(): OwnTargets {
    return this.browser.own;
  }

  /** @param tab one whose context is meant. @throws HypeError `tab_not_found` | `browser_unavailable` */
  async context(tab: string | undefined, signal: AbortSignal): Promise<Context> {
    const { connection } = this.browser.running;
    const { defaultBrowserContextId: own = "" } = await connection.send("Target.getBrowserContexts", undefined, {
      signal,
    });
    if (tab === undefined) return new Context(connection, own, true, signal);
    const { targetInfos } = await connection.send("Target.getTargets", {}, { signal });
    const found = targetInfos.find(({ targetId }) => targetId === tab);
    if (!found) throw new HypeError("tab_not_found", `there is no tab ${tab}`);
    const { browserContextId = own } = found;
    return new Context(connection, browserContextId, browserContextId === own, signal);
  }

  /** Origins that may have kept something in that context. */
  async origins(context: Context): Promise<KnownOrigins> {
    return this.#origins.of(context);
  }

  /** They were given something to keep. */
  remember(context: Context, origins: string[]): void {
    this.#origins.remember(context.id, origins);
  }

  /** Everything they kept was cleared. */
  async forget(context: Context, origins: string[]): Promise<void> {
    await this.#origins.forget(context, origins);
  }
}
