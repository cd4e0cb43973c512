import type { Config } from "../config/load.ts";
import { messageOf, type SystemStatus } from "../contract/index.ts";
import { openDriver } from "../hypervisor/choose.ts";
import type { HypervisorDriver } from "../hypervisor/driver.ts";
import type { BootableImage } from "../image/types.ts";
import type { Log } from "../log/log.ts";

type Options = {
  config: Config;
  log: Log;
  images: { resolve(ref: string | null): Promise<BootableImage> };
  networkMode: "slot" | "user";
  /** Ends a probe that is under way. */
  signal: AbortSignal;
};

/** The hypervisor of this host: chosen at the first need, and what came of it. A host without one still has a server that says why. */
export class HypervisorChoice {
  #driver: HypervisorDriver | null = null;
  #reason = "being chosen";
  #choosing: Promise<HypervisorDriver> | null = null;

  constructor(private readonly options: Options) {}

  /** Chooses anew at each call (the engine keeps what it got), once at a time. @throws HypeError hypervisor_unavailable | tool_missing */
  open(): Promise<HypervisorDriver> {
    this.#choosing ??= this.#choose().finally(() => {
      this.#choosing = null;
    });
    return this.#choosing;
  }

  async #choose(): Promise<HypervisorDriver> {
    const { config, log, images, networkMode, signal } = this.options;
    // KVM is probed with the image's own kernel. Without an image there is nothing to boot, and the choice is only said.
    const kernel = await images.resolve(null).then(
      (image) => image.kernel,
      () => null,
    );
    try {
      this.#driver = await openDriver({ config, log, kernel, networkMode, signal });
      this.#reason = this.#driver.reason;
      return this.#driver;
    } catch (thrown) {
      this.#reason = messageOf(thrown);
      throw thrown;
    }
  }

  describe(): SystemStatus["hypervisor"] {
    const { name = null, version = null, accelerator = null } = this.#driver ?? {};
    return { name, version, accelerator, reason: this.#reason };
  }
}
