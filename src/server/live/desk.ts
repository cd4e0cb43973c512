import { type Control, HypeError, messageOf, type Vm } from "../../contract/index.ts";
import type { EngineApi } from "../../engine/types.ts";
import type { Log } from "../../log/log.ts";

/** How long a page that lost its connection keeps control, milliseconds. */
export const GRACE_MS = 10_000;

/** One page that watches. */
export type Watcher = {
  vmId: string;
  link: { id: string; label: string | null; view_only: boolean };
  /** What tells a page from another by the same link; kept across its reconnections. */
  page: string;
  /** Called whenever control, or the number of watchers, changes. */
  notify(state: { control: Control | null; mine: boolean; watchers: number }): void;
};

/** The page that has control of a VM; `since` tells its row from a later one. */
type Holder = { page: string; linkId: string; since: string; seats: Set<Seat>; timer: Timer | undefined };

/** A watcher's place; left once. */
export type Seat = {
  /** It may act on the browser. */
  readonly holds: boolean;
  /** @throws HypeError view_only | control_held | vm_not_running */
  take(force: boolean): void;
  /** Harmless when it has none. */
  giveBack(): void;
  /** @param final why it will not come back, so that control is returned at once; null: it may */
  leave(final: string | null): void;
};

/** Who watches which VM, and whose page has control. What it decides stands in the VM's row; the events tell of it. */
export class Desk implements Disposable {
  readonly #seats = new Map<string, Map<Seat, Watcher>>();
  readonly #holders = new Map<string, Holder>();

  constructor(
    private readonly engine: Pick<EngineApi, "get" | "takeControl" | "returnControl">,
    private readonly log: Log,
    private readonly graceMs = GRACE_MS,
  ) {}

  watchersOf(linkId: string): number {
    let count = 0;
    for (const seats of this.#seats.values()) for (const { link } of seats.values()) if (link.id === linkId) count++;
    return count;
  }

  /** That page of that link may act now. */
  holds(vmId: string, linkId: string, page: string): boolean {
    return this.#holders.get(vmId)?.page === `${linkId}/${page}`;
  }

  /** A page that comes back in time finds the control it had. */
  join(watcher: Watcher): Seat {
    const { vmId, link } = watcher;
    const name = `${link.id}/${watcher.page}`;
    const seats = this.#seats.get(vmId) ?? new Map<Seat, Watcher>();
    this.#seats.set(vmId, seats);
    const holderOf = () => this.#holders.get(vmId);
    const seat: Seat = {
      get holds() {
        return holderOf()?.seats.has(seat) === true;
      },
      take: (force) => {
        if (link.view_only) throw new HypeError("view_only", "this link may only watch");
        if (seat.holds) return;
        const { control } = this.engine.takeControl(vmId, { link: link.id, label: link.label }, { force });
        this.#drop(vmId);
        const mine = [...seats]
          .filter(([, other]) => `${other.link.id}/${other.page}` === name)
          .map(([other]) => other);
        const since = control?.since ?? "";
        this.#holders.set(vmId, { page: name, linkId: link.id, since, seats: new Set(mine), timer: undefined });
        this.#tell(vmId);
      },
      giveBack: () => {
        if (seat.holds) this.returnControl(vmId, "given back");
      },
      leave: (final) => {
        if (!seats.delete(seat)) return;
        if (seats.size === 0) this.#seats.delete(vmId);
        const holder = holderOf();
        if (holder?.seats.delete(seat) && holder.seats.size === 0) {
          if (final !== null) this.#expire(vmId, holder, final);
          else {
            holder.timer = setTimeout(() => this.#expire(vmId, holder, "the page was gone for too long"), this.graceMs);
            holder.timer.unref();
          }
        }
        this.#tell(vmId);
      },
    };
    seats.set(seat, watcher);
    const holder = holderOf();
    if (holder?.page === name && this.#find(vmId)?.control?.since === holder.since) {
      clearTimeout(holder.timer);
      holder.seats.add(seat);
    }
    this.#tell(vmId);
    return seat;
  }

  /** By the API, for somebody it names. @throws HypeError vm_not_found | vm_not_running | control_held */
  takeControl(ref: string, label: string | null, force: boolean): Vm {
    const vm = this.engine.takeControl(ref, { link: null, label }, { force });
    this.#drop(vm.id);
    this.#tell(vm.id);
    return vm;
  }

  /** Whoever has it. @throws HypeError vm_not_found */
  returnControl(ref: string, reason: string): Vm {
    const vm = this.engine.returnControl(ref, reason);
    this.#drop(vm.id);
    this.#tell(vm.id);
    return vm;
  }

  /** Control that a page of this link had while it was away is returned, too. */
  linkEnded(linkId: string): void {
    for (const [vmId, holder] of this.#holders)
      if (holder.linkId === linkId) this.#expire(vmId, holder, "its link ended");
  }

  [Symbol.dispose](): void {
    for (const vmId of this.#holders.keys()) this.#drop(vmId);
  }

  #drop(vmId: string): void {
    clearTimeout(this.#holders.get(vmId)?.timer);
    this.#holders.delete(vmId);
  }

  /** Unless somebody else got it meanwhile. */
  #expire(vmId: string, holder: Holder, reason: string): void {
    if (this.#holders.get(vmId) !== holder) return;
    this.#drop(vmId);
    try {
      if (this.#find(vmId)?.control?.since === holder.since) this.engine.returnControl(vmId, reason);
    } catch (thrown) {
      this.log.warn(`control could not be returned: ${messageOf(thrown)}`, { vm: vmId });
    }
    this.#tell(vmId);
  }

  #tell(vmId: string): void {
    const control = this.#find(vmId)?.control ?? null;
    const seats = this.#seats.get(vmId) ?? new Map<Seat, Watcher>();
    for (const [seat, watcher] of seats) watcher.notify({ control, mine: seat.holds, watchers: seats.size });
  }

  #find(vmId: string): Vm | null {
    try {
      return this.engine.get(vmId);
    } catch {
      return null; // it was deleted
    }
  }
}
