import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { Proxy } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Settings } from "../settings.ts";
import { Forwarder } from "./forwarder.ts";

/** What this guest's browser goes through. */
export class BrowserProxy {
  #forwarder: Forwarder | null = null;
  #current: Proxy | null = null;

  private constructor(
    private readonly browser: Browser,
    /** Root's alone, in memory; for an agent that is restarted: its Chromium must not go out by itself. */
    private readonly file: string,
    private readonly log: Log,
  ) {}

  /** Before the browser is started: one that is to have a proxy is started with it. */
  static async open(
    browser: Browser,
    settings: Pick<Settings, "tokenFile" | "expectProxy">,
    log: Log,
  ): Promise<BrowserProxy> {
    const proxy = new BrowserProxy(browser, join(dirname(settings.tokenFile), "proxy"), log);
    const kept = proxy.#kept();
    if (kept || settings.expectProxy) browser.proxyPort = (await proxy.#through(kept)).port;
    return proxy;
  }

  /**
   * The proxy is in force when this returns; what went through another one before is cut.
   * @param proxy null: none
   * @returns whether Chromium was restarted for it: from none to one and back.
   */
  async set(proxy: Proxy | null, signal: AbortSignal): Promise<boolean> {
    if (proxy && Bun.deepEquals(proxy, this.#current)) return false;
    const before = this.browser.proxyPort;
    this.#keep(proxy);
    const forwarder = proxy || this.#forwarder ? await this.#through(proxy) : null;
    const after = proxy && forwarder!.port;
    this.browser.proxyPort = after;
    this.log.info(proxy ? "the proxy is set" : "there is no proxy");
    if (before === after) return false;
    await this.browser.relaunch(signal);
    return true;
  }

  /** What the proxy did wrong last, if that was since a moment of `performance.now()`. */
  faultSince(ms: number): string | null {
    return this.#forwarder?.faultSince(ms) ?? null;
  }

  async #through(proxy: Proxy | null): Promise<Forwarder> {
    this.#forwarder ??= await Forwarder.open(this.log);
    this.#forwarder.use(proxy);
    this.#current = proxy;
    return this.#forwarder;
  }

  #kept(): Proxy | null {
    try {
      return v.parse(Proxy, JSON.parse(readFileSync(this.file, "utf8")));
    } catch {
      return null;
    }
  }

  #keep(proxy: Proxy | null): void {
    if (!proxy) return rmSync(this.file, { force: true });
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.new`;
    writeFileSync(temporary, JSON.stringify(proxy), { mode: 0o600 });
    renameSync(temporary, this.file);
  }
}
