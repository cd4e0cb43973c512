/** Callers remembered per VM; the one that was silent longest is forgotten first. */
const CALLERS_PER_VM = 1_000;
const VMS = 10_000;
/** A caller that was silent for so long has no tab any more, and what was begun on a tab nobody used for so long ends, milliseconds. */
export const TAB_IDLE_MS = 30 * 60_000;
const SWEEP_MS = 60_000;
/** Tabs of one VM that were opened for callers who found none; over it, the one silent longest is closed for the next. */
export const MOST_OPENED = 16;
/** A caller may think for so long before its tab is one of those, milliseconds. */
const THINKING_MS = 5 * 60_000;

/** A caller's current tab on each VM. `vm` is the VM's id and generation: a restarted VM has other tabs. */
export interface CallerTabs {
  /** The tab this caller used last; null: none yet. */
  current(vm: string): string | null;
  use(vm: string, tab: string): void;
  /** Something is done on a tab until this is disposed: whoever is silent meanwhile is not idle. */
  hold(vm: string, tab: string): Disposable;
  /** The search for a first tab, one at a time: calls of one caller at once end up on one tab. */
  first(vm: string, search: () => Promise<string>): Promise<string>;
  forget(vm: string, tab: string): void;
  /** Tabs that are the current ones of others, or about to close. */
  ofOthers(vm: string): ReadonlySet<string>;
  /** A tab was opened for this caller: it is closed once nobody who used it is left, or nobody uses it any more (a wanted one: is there any more). */
  opened(vm: string, tab: string, given: GivenBack): void;
  /** Closes what was silent longest, where as many tabs were opened for callers as may be. */
  makeRoom(vm: string): void;
  /**
   * Begins something on a tab, unless that was done, whoever did it. What `start` gives ends it again, and is called once: when its last user
   * leaves, or nobody uses the tab any more. Not when the tab is forgotten: then it is gone. Throws what `start` throws: then nothing was begun.
   */
  begin(vm: string, tab: string, start: () => Promise<() => void>): Promise<void>;
}

/**
 * How a tab goes back. It is tried again later where it may not be closed yet.
 * @property isWanted its caller asked for it: it stays as long as the caller does, used or not
 */
export type GivenBack = { mayClose(): boolean; close(): Promise<unknown>; isWanted?: boolean };
type Begun = { usedAtMs: number; end: () => void };
type Opened = GivenBack & { users: Set<string>; usedAtMs: number };
type Known = {
  /** Who uses which, silent longest first. */
  current: Map<string, { tab: string; usedAtMs: number }>;
  begun: Map<string, Begun>;
  opened: Map<string, Opened>;
  closing: Set<string>;
  held: Map<string, number>;
};

/**
 * Who uses which tab. Two callers on one VM keep out of each other's way: each has a current tab of its own, and whoever has none takes
 * one nobody uses.
 */
export class TabMemory {
  readonly #vms = new Map<string, Known>();
  readonly #searches = new Map<string, Promise<string>>();
  #sweeper: Timer | undefined;

  constructor(
    private readonly idleMs = TAB_IDLE_MS,
    private readonly thinkingMs = THINKING_MS,
  ) {}

  of(caller: string): CallerTabs {
    return {
      current: (vm) => this.#vms.get(vm)?.current.get(caller)?.tab ?? null,
      use: (vm, tab) => {
        const known = this.#known(vm);
        const { current, opened } = known;
        const usedAtMs = touch(known, tab);
        opened.get(tab)?.users.add(caller);
        current.delete(caller);
        current.set(caller, { tab, usedAtMs });
        if (current.size > CALLERS_PER_VM) current.delete(current.keys().next().value as string);
      },
      hold: (vm, tab) => {
        const known = this.#known(vm);
        const { held } = known;
        held.set(tab, (held.get(tab) ?? 0) + 1);
        return {
          [Symbol.dispose]: () => {
            touch(known, tab);
            const left = (held.get(tab) ?? 1) - 1;
            if (left > 0) held.set(tab, left);
            else held.delete(tab);
          },
        };
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
        known.opened.delete(tab);
        for (const [user, used] of known.current) if (used.tab === tab) known.current.delete(user);
      },
      ofOthers: (vm) => {
        const known = this.#vms.get(vm);
        const others = [...(known?.current ?? [])].filter(([user]) => user !== caller).map(([, { tab }]) => tab);
        return new Set([...others, ...(known?.closing ?? [])]);
      },
      opened: (vm, tab, given) =>
        void this.#known(vm).opened.set(tab, { ...given, users: new Set([caller]), usedAtMs: performance.now() }),
      makeRoom: (vm) => {
        const known = this.#known(vm);
        if ([...known.opened.values()].filter(({ isWanted }) => !isWanted).length < MOST_OPENED) return;
        const nowMs = performance.now();
        const [silent] = [...known.opened]
          .filter(
            ([tab, { usedAtMs, isWanted }]) => !isWanted && !known.held.has(tab) && nowMs - usedAtMs >= this.thinkingMs,
          )
          .sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
        if (silent) giveBack(known, silent[0], nowMs); // whoever had it is told by its next call
      },
      begin: async (vm, tab, start) => {
        const { begun } = this.#known(vm);
        if (begun.has(tab)) return;
        const it: Begun = { usedAtMs: performance.now(), end: () => {} };
        begun.set(tab, it);
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

  /** The caller went away: tabs opened for it close and its other one is free, unless somebody else has them; what was begun on them ends. */
  leave(caller: string): void {
    for (const known of this.#vms.values()) {
      const tab = known.current.get(caller)?.tab;
      known.current.delete(caller);
      if (tab !== undefined && ![...known.current.values()].some((used) => used.tab === tab)) end(known, tab);
      for (const [own, { users }] of known.opened)
        if (users.delete(caller) && users.size === 0) giveBack(known, own, performance.now());
    }
  }

  /** Ends what nobody used for too long. @param nowMs on the clock of `performance.now()` */
  sweep(nowMs = performance.now()): void {
    const isIdle = (known: Known, tab: string, usedAtMs: number) =>
      nowMs - usedAtMs >= this.idleMs && !known.held.has(tab);
    for (const [vm, known] of this.#vms) {
      for (const [caller, { tab, usedAtMs }] of known.current)
        if (isIdle(known, tab, usedAtMs)) known.current.delete(caller);
      for (const [tab, { usedAtMs }] of known.begun) if (isIdle(known, tab, usedAtMs)) end(known, tab);
      for (const [tab, it] of known.opened)
        if (isIdle(known, tab, it.usedAtMs) && !(it.isWanted && [...it.users].some((user) => known.current.has(user))))
          giveBack(known, tab, nowMs);
      const { current, begun, opened, closing, held } = known;
      if ([current, begun, opened, closing, held].every(({ size }) => size === 0)) this.#vms.delete(vm);
    }
    if (this.#vms.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #known(vm: string): Known {
    let known = this.#vms.get(vm);
    if (!known) {
      if (this.#vms.size >= VMS) this.#vms.delete(this.#vms.keys().next().value as string);
      known = { current: new Map(), begun: new Map(), opened: new Map(), closing: new Set(), held: new Map() };
      this.#vms.set(vm, known);
      this.#sweeper ??= setInterval(() => this.sweep(), Math.min(SWEEP_MS, this.idleMs)).unref();
    }
    return known;
  }
}

/** @returns when that was, on the clock of `performance.now()` */
function touch({ begun, opened }: Known, tab: string): number {
  const usedAtMs = performance.now();
  for (const it of [begun.get(tab), opened.get(tab)]) if (it) it.usedAtMs = usedAtMs;
  return usedAtMs;
}

function end({ begun }: Known, tab: string): void {
  const known = begun.get(tab);
  begun.delete(tab);
  known?.end();
}

/** Until it is closed nobody takes it for a free one. */
function giveBack(known: Known, tab: string, nowMs: number): void {
  const { opened, closing } = known;
  const it = opened.get(tab);
  if (!it) return;
  if (!it.mayClose()) return void (it.usedAtMs = nowMs);
  opened.delete(tab);
  closing.add(tab);
  end(known, tab);
  void it
    .close()
    .catch(() => {}) // it is gone already, or goes with its VM
    .finally(() => closing.delete(tab));
}
