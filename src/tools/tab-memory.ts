/** Callers remembered per VM; the one that was silent longest is forgotten first. */
const CALLERS_PER_VM = 1_000;
const VMS = 10_000;
/** What was begun on a tab ends once nobody used it for so long, milliseconds. */
export const TAB_IDLE_MS = 30 * 60_000;
const SWEEP_MS = 60_000;

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
  /**
   * Begins something on a tab, unless that was done, whoever did it. What `start` gives ends it again, and is called once: when its last user
   * leaves, or nobody uses the tab any more. Not when the tab is forgotten: then it is gone. Throws what `start` throws: then nothing was begun.
   */
  begin(vm: string, tab: string, start: () => Promise<() => void>): Promise<void>;
}

type Begun = { usedAtMs: number; end: () => void };
type Known = { current: Map<string, string>; begun: Map<string, Begun> };

/**
 * Who uses which tab. Two callers on one VM keep out of each other's way: each has a current tab of its own, and whoever has none takes
 * one nobody uses.
 */
export class TabMemory {
  readonly #vms = new Map<string, Known>();
  readonly #searches = new Map<string, Promise<string>>();
  #sweeper: Timer | undefined;

  constructor(private readonly idleMs = TAB_IDLE_MS) {}

  of(caller: string): CallerTabs {
    return {
      current: (vm) => this.#vms.get(vm)?.current.get(caller) ?? null,
      use: (vm, tab) => {
        const { current, begun } = this.#known(vm);
        const known = begun.get(tab);
        if (known) known.usedAtMs = performance.now();
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
      begin: async (vm, tab, start) => {
        const { begun } = this.#known(vm);
        if (begun.has(tab)) return;
        const it: Begun = { usedAtMs: performance.now(), end: () => {} };
        begun.set(tab, it);
        this.#sweeper ??= setInterval(() => this.sweep(), Math.min(SWEEP_MS, this.idleMs)).unref();
        try {
          const end = await start();
          if (begun.get(tab) === it) it.end = end;
          else end(); // its user left meanwhile
        } catch (thrown) {
          if (begun.get(tab) === it) begun.delete(tab);
          throw thrown;
        }
      },
    };
  }

  /** The caller went away: its tabs are free for others, and what was begun on those nobody else has ends. */
  leave(caller: string): void {
    for (const known of this.#vms.values()) {
      const tab = known.current.get(caller);
      if (tab === undefined) continue;
      known.current.delete(caller);
      if (![...known.current.values()].includes(tab)) end(known, tab);
    }
  }

  /** Ends what was begun on tabs nobody used for too long. @param nowMs on the clock of `performance.now()` */
  sweep(nowMs = performance.now()): void {
    let isLeft = false;
    for (const known of this.#vms.values()) {
      for (const [tab, { usedAtMs }] of known.begun) if (nowMs - usedAtMs >= this.idleMs) end(known, tab);
      isLeft ||= known.begun.size > 0;
    }
    if (isLeft) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #known(vm: string): Known {
    let known = this.#vms.get(vm);
    if (!known) {
      if (this.#vms.size >= VMS) this.#vms.delete(this.#vms.keys().next().value as string);
      known = { current: new Map(), begun: new Map() };
      this.#vms.set(vm, known);
    }
    return known;
  }
}

function end({ begun }: Known, tab: string): void {
  const known = begun.get(tab);
  begun.delete(tab);
  known?.end();
}
