import {
  type Emulate,
  type Emulation as Settings,
  type EmulationNow,
  HypeError,
  messageOf,
} from "../../src/contract/index.ts";
import type { EmulatedTab } from "../browser/screenshot.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Layer, Overlay } from "../overlay/overlay.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import { ORDERS, type Order } from "./orders.ts";
import { Permissions } from "./permissions.ts";

const OWNER = "emulation";
/** A change is waited for so long by the next one. */
const TURN_MS = 5_000;
/** Both are a renderer's, which tabs may share: whoever asks second is refused, though it has what it asks for. */
const SHARED: Record<string, string> = {
  timezone: "Intl.DateTimeFormat().resolvedOptions().timeZone",
  locale: "Intl.DateTimeFormat().resolvedOptions().locale",
};

/**
 * What tabs are made to believe. Settings are ours, kept here and given to each target before it runs; Chromium itself carries
 * them through navigations and changes of renderer. They are given once: a DevTools client that sets its own afterwards wins.
 */
export class Emulation implements Layer {
  #all: Settings = {};
  #ofTab = new Map<string, Settings>();
  #held = new Map<string, NonNullable<Settings["viewport"]>>();
  #last: Promise<unknown> = Promise.resolve();
  #applied = new WeakMap<OverlayTarget, Map<string, string>>(); // order -> its parameters as text
  #permissions = new Permissions();
  #browserUserAgent = "";
  #onCredentials: () => Promise<void> = async () => {};

  constructor(
    private readonly browser: Browser,
    private readonly overlay: Overlay,
  ) {
    overlay.add(this);
  }

  /** The session of ours that holds what is emulated in a tab; null where nothing is wanted of it. */
  holderOf(tab: string): EmulatedTab | null {
    const target = this.overlay.targets.find(({ isTab, targetId }) => isTab && targetId === tab);
    if (!target || !this.#applied.has(target)) return null;
    const deviceScale = this.effective(tab).device_scale_factor ?? null;
    return { deviceScale, answer: (method, params) => target.answer(method, params) };
  }

  /** @param listener is called after credentials may have changed. */
  onCredentials(listener: () => Promise<void>): void {
    this.#onCredentials = listener;
  }

  isWanted(): boolean {
    return this.#held.size > 0 || isAny(this.#all) || [...this.#ofTab.values()].some(isAny);
  }

  hasCredentials(): boolean {
    return [this.#all, ...this.#ofTab.values()].some((settings) => settings.http_credentials != null);
  }

  effective(tab: string | null): Settings {
    if (tab === null) return { ...this.#all };
    const held = this.#held.get(tab);
    return { ...this.#all, ...this.#ofTab.get(tab), ...(held && { viewport: held }) };
  }

  now(tab: string | undefined): EmulationNow {
    const told = (settings: Settings): Settings =>
      settings.http_credentials
        ? { ...settings, http_credentials: { ...settings.http_credentials, password: "" } }
        : settings;
    return {
      all: told(this.#all),
      tab: tab === undefined ? null : told(this.#ofTab.get(tab) ?? {}),
      effective: told(this.effective(tab ?? null)),
    };
  }

  /**
   * Changes what is given, for the tab or for all. Nothing is changed when one of them cannot be had.
   * @throws HypeError `emulation_refused` with Chromium's reason
   */
  async set({ tab, timeout_ms: _timeout, ...given }: Emulate): Promise<EmulationNow> {
    using _turn = await this.#turn();
    const before = { all: this.#all, ofTab: new Map(this.#ofTab) };
    if (tab === undefined) this.#all = merged(this.#all, given);
    else this.#ofTab.set(tab, merged(this.#ofTab.get(tab) ?? {}, given, true));
    await this.#change(before);
    return this.now(tab);
  }

  async reset(tab: string | undefined): Promise<EmulationNow> {
    using _turn = await this.#turn();
    const before = { all: this.#all, ofTab: new Map(this.#ofTab) };
    if (tab === undefined) {
      this.#all = {};
      this.#ofTab.clear();
    } else this.#ofTab.delete(tab);
    await this.#change(before);
    return this.now(tab);
  }

  /**
   * The viewport a person who watches the tab wants while they do; it lies over what is set, which is back when it is given up (null).
   * @throws HypeError `emulation_refused` with Chromium's reason
   */
  async holdViewport(tab: string, size: { width: number; height: number } | null): Promise<void> {
    using _turn = await this.#turn();
    const former = this.#held.get(tab);
    if (size === null && !former) return;
    if (size === null) this.#held.delete(tab);
    else this.#held.set(tab, size);
    try {
      await this.#change({ all: this.#all, ofTab: new Map(this.#ofTab) });
    } catch (thrown) {
      if (former && size) this.#held.set(tab, former);
      else this.#held.delete(tab);
      throw thrown;
    }
  }

  /** One change after the other: a refused one takes back what was there before it. A page that never answers holds nobody up for ever. */
  async #turn(): Promise<Disposable> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => promise);
    await Promise.race([before, Bun.sleep(TURN_MS)]);
    return { [Symbol.dispose]: resolve };
  }

  /** Orders go out at once, in the order Chromium shall obey them. */
  attach(target: OverlayTarget): Promise<unknown>[] {
    return this.#apply(target);
  }

  detach(target: OverlayTarget, isGone: boolean): void {
    if (!target.isTab || !isGone) return;
    this.#ofTab.delete(target.targetId);
    this.#held.delete(target.targetId);
  }

  forgetTabs(): void {
    this.#ofTab.clear();
    this.#held.clear();
  }

  async #change(before: { all: Settings; ofTab: Map<string, Settings> }): Promise<void> {
    try {
      const { connection: main } = this.browser.running;
      this.#browserUserAgent ||= (await main.send("Browser.getVersion", undefined)).userAgent;
      const connection = await this.overlay.refresh();
      if (connection) await this.#applyAll(connection);
      await this.#onCredentials();
    } catch (thrown) {
      this.#all = before.all;
      this.#ofTab = before.ofTab;
      const connection = await this.overlay.refresh().catch(() => null);
      if (connection) await this.#applyAll(connection).catch(() => {}); // what cannot be taken back was not taken
      throw thrown;
    }
  }

  async #applyAll(connection: Connection): Promise<void> {
    this.#browserUserAgent ||= (await connection.send("Browser.getVersion", undefined)).userAgent;
    const tabs = this.overlay.targets.filter(({ isTab }) => isTab);
    const context = (tab: string) => tabs.find(({ targetId }) => targetId === tab)?.contextId;
    await this.#permissions.apply(connection, [
      { contextId: undefined, permissions: this.#all.permissions ?? [] },
      ...[...this.#ofTab].map(([tab, { permissions }]) => ({
        contextId: context(tab),
        permissions: permissions ?? [],
      })),
    ]);
    const failed = await this.overlay.order((target) => this.#apply(target));
    for (const { target, reason } of failed) if (target.isTab && isRefusal(reason)) throw reason;
  }

  #apply(target: OverlayTarget): Promise<unknown>[] {
    const applied = this.#applied.get(target) ?? new Map<string, string>();
    this.#applied.set(target, applied);
    const settings = this.effective(target.tab);
    return ORDERS.filter((order) => order.isFor(target)).flatMap((order) => {
      const params = order.params(settings, this.#browserUserAgent);
      const text = JSON.stringify(params);
      if ((applied.get(order.name) ?? "null") === text) return [];
      applied.set(order.name, text);
      const sent = this.#send(target, order, params);
      // Not in effect: asked again, by whom it concerns, it is refused again.
      sent.catch(() => applied.get(order.name) === text && applied.delete(order.name));
      return [sent];
    });
  }

  async #send(target: OverlayTarget, order: Order, params: object | null): Promise<void> {
    const domain = order.method.startsWith("Network.") ? target.enable("Network", OWNER) : null;
    const sent =
      params === null
        ? target.send(order.off.method, order.off.params as never)
        : target.send(order.method, params as never);
    try {
      await Promise.all([domain, sent]);
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      if (/already in effect/.test(thrown.detail) && (await this.#hasIt(target, order, params))) return;
      throw new HypeError("emulation_refused", `${order.name}: ${messageOf(thrown)}`, {}, { cause: thrown });
    }
  }

  async #hasIt(target: OverlayTarget, order: Order, params: object | null): Promise<boolean> {
    const expression = SHARED[order.name];
    if (params === null || expression === undefined || !target.isTab) return true;
    const { result } = await target.send("Runtime.evaluate", { expression, returnByValue: true });
    return Object.values(params).some((wanted) => String(wanted).replaceAll("_", "-") === result.value);
  }
}

/** A tab that crashed or closed meanwhile is no reason to refuse. */
const isRefusal = (thrown: unknown): thrown is HypeError =>
  thrown instanceof HypeError && thrown.code === "emulation_refused";

/** null in a tab's own settings says: not even what is set for all. */
function merged(settings: Settings, given: Settings, keepNull = false): Settings {
  const entries = Object.entries({ ...settings, ...given }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.filter(([, value]) => keepNull || value !== null));
}

const isAny = (settings: Settings): boolean => Object.values(settings).some((value) => value != null);
