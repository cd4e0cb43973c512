/** Callers remembered per VM; the one that was silent longest is forgotten first. */
const CALLERS_PER_VM = 1_000;
const VMS = 10_000;

/** A caller's current tab on each VM. `vm` is the VM's id and generation: a restarted VM has other tabs. */
export interface CallerTabs {
  /** The tab this caller used last; null: none yet. */
  current(vm: string): string | null;
  use(vm: string, tab: string): void;
  /** The search for a first tab, one at a time: calls of one caller at once end up on one tab. */
  first(vm: string, search: () => Promise<string>): Promise<string>;
  forget(vm: string, tab: string): void;
  /** Tabs that are the current ones of others. */
  ofOthers(vm: string): ReadonlySet<string>;
  /** Whether something was already begun on a tab, whoever began it; it counts as begun from then on. */
  begin(vm: string, tab: string): boolean;
}

type Known = { current: Map<string, string>; begun: Set<string> };

/**
 * Who uses which tab. Two callers on one VM keep out of each other's way: each has a current tab of its own, and whoever has none takes
 * one nobody uses.
 */
export class TabMemory {
  readonly #vms = new Map<string, Known>();
  readonly #searches = new Map<string, Promise<string>>();

  of(caller: string): CallerTabs {
    return {
      current: (vm) => this.#vms.get(vm)?.current.get(caller) ?? null,
      use: (vm, tab) => {
        const { current } = this.#known(vm);
        current.delete(caller);
        current.set(caller, tab);
        if (current.size > CALLERS_PER_VM) current.delete(current.keys().next().value as string);
      },
      first: (vm, search) => {
        const key = `${vm} ${caller}`;
        let found = this.#searches.get(key);
        if (!found) {
          found = search().finally(() => this.#searches.delete(key));
          this.#searches.set(key, found);
        }
        return found;
      },
      forget: (vm, tab) => {
        const known = this.#vms.get(vm);
        if (!known) return;
        known.begun.delete(tab);
        for (const [user, used] of known.current) if (used === tab) known.current.delete(user);
      },
      ofOthers: (vm) =>
        new Set([...(this.#vms.get(vm)?.current ?? [])].filter(([user]) => user !== caller).map(([, tab]) => tab)),
      begin: (vm, tab) => {
        const { begun } = this.#known(vm);
        const was = begun.has(tab);
        begun.add(tab);
        return was;
      },
    };
  }

  /** The caller went away: its tabs are free for others. */
  leave(caller: string): void {
    for (const { current } of this.#vms.values()) current.delete(caller);
  }

  #known(vm: string): Known {
    let known = this.#vms.get(vm);
    if (!known) {
      if (this.#vms.size >= VMS) this.#vms.delete(this.#vms.keys().next().value as string);
      known = { current: new Map(), begun: new Set() };
      this.#vms.set(vm, known);
    }
    return known;
  }
}
