import type { EgressRefusal } from "../contract/index.ts";
import { type Context, inBackground } from "./context.ts";
import { holdings } from "./release.ts";
import { record } from "./states.ts";

/** Destinations that one event names; what is over them is only counted. */
const NAMED = 20;

type Tally = { refusals: Map<string, EgressRefusal>; timer: Timer | null; toldAtMs: number };

/**
 * Turns refused connections into events: the first at once, further ones gathered into one event a minute per VM, so that a guest
 * that knocks at every door fills neither the table nor the stream.
 */
export class Refusals {
  readonly #tallies = new Map<string, Tally>();
  #stop: () => void = () => {};

  constructor(
    private readonly ctx: Context,
    private readonly intervalMs: number,
  ) {}

  start(): void {
    this.#stop = this.ctx.network.onRefusal?.((slot, refusals) => this.#note(slot, refusals)) ?? (() => {});
  }

  stop(): void {
    this.#stop();
    for (const { timer } of this.#tallies.values()) if (timer) clearTimeout(timer);
    this.#tallies.clear();
  }

  #note(slot: number, refusals: readonly EgressRefusal[]): void {
    const vm = this.ctx.store.vms.all().find(({ id }) => holdings(this.ctx, id).attachment?.slot === slot);
    if (!vm || refusals.length === 0) return;
    const tally: Tally = this.#tallies.get(vm.id) ?? { refusals: new Map(), timer: null, toldAtMs: -Infinity };
    this.#tallies.set(vm.id, tally);
    for (const refusal of refusals) {
      const key = `${refusal.protocol} ${refusal.address} ${refusal.port}`;
      const known = tally.refusals.get(key);
      if (known) known.packets += refusal.packets;
      else if (tally.refusals.size < 10 * NAMED) tally.refusals.set(key, { ...refusal });
    }
    if (tally.timer) return;
    const waitMs = tally.toldAtMs + this.intervalMs - this.ctx.clock();
    if (waitMs <= 0) this.#tell(vm.id, tally);
    else {
      tally.timer = setTimeout(() => this.#tell(vm.id, tally), waitMs);
      tally.timer.unref();
    }
  }

  #tell(vmId: string, tally: Tally): void {
    const all = [...tally.refusals.values()].toSorted((a, b) => b.packets - a.packets);
    tally.refusals.clear();
    tally.timer = null;
    tally.toldAtMs = this.ctx.clock();
    if (!this.ctx.store.vms.find(vmId)) {
      this.#tallies.delete(vmId);
      return;
    }
    const data = { refusals: all.slice(0, NAMED), more: Math.max(0, all.length - NAMED) };
    inBackground(
      this.ctx,
      "telling of refused connections",
      (async () => {
        record(this.ctx, vmId, {}, "VM_EGRESS_DENIED", data);
      })(),
    );
  }
}
