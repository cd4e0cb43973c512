import { type Context, inBackground } from "./context.ts";
import { deleteVm } from "./delete.ts";

/** setTimeout counts in 31 bits; a longer wait is looked at again in between. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Deletes VMs whose `ttl_seconds` are over, with one timer for the nearest. */
export class Expiry {
  readonly #ctx: Context;
  readonly #ending = new Set<string>();
  #timer: Timer | undefined;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  /** Deletes what is due and sets the timer for the next; call it when a VM came that expires. */
  arm(): void {
    this.disarm();
    if (this.#ctx.closing.signal.aborted) return;
    for (const vm of this.#ctx.store.vms.expiring()) {
      if (this.#ending.has(vm.id)) continue;
      const waitMs = Date.parse(vm.expires_at) - this.#ctx.clock();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.arm(), Math.min(waitMs, LONGEST_TIMER_MS));
        this.#timer.unref();
        return;
      }
      this.#ending.add(vm.id);
      const ended = deleteVm(this.#ctx, vm.id, "ttl").finally(() => this.#ending.delete(vm.id));
      inBackground(this.#ctx, vm.name, ended);
    }
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }
}
