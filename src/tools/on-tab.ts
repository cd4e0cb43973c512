import * as v from "valibot";
import { HypeError, OnTab as TabOf, OpenTab, StartObserving } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import type { House } from "./house.ts";
import type { GivenBack } from "./tab-memory.ts";
import type { ToolContext } from "./tool.ts";

type Place = { vm: string; tab?: string | undefined };
export type OnTab = { guest: Guest; tab: string; signal: AbortSignal };

/** Console, exceptions and requests are wanted after the fact: they are recorded from the first use of a tab on, while it is used. */
const RECORDED = v.parse(StartObserving, { kinds: ["console", "exception", "request"], timeout_ms: 10_000 });
const END_MS = 15_000;

/**
 * Does something on a VM's browser. It ends with the caller, and when the VM ends or is paused.
 * @throws HypeError vm_not_found | vm_not_running | cancelled, and whatever `work` throws
 */
export async function onBrowser<T>(
  { house, signal }: ToolContext,
  ref: string,
  work: (guest: Guest, signal: AbortSignal, vmKey: string) => Promise<T>,
): Promise<T> {
  const vm = house.get(ref);
  return await house.onBrowser(vm.id, signal, (guest, usable) => work(guest, usable, `${vm.id}/${vm.generation}`));
}

/**
 * Does something on the tab named, or on the caller's own: the one it used last on this VM. A caller that used none yet gets a tab nobody
 * else uses, a new one if need be, which goes back when the caller does.
 * @throws HypeError as {@link onBrowser}; tab_not_found when the tab is gone: the next call takes another
 */
export function onTab<T>(context: ToolContext, place: Place, work: (on: OnTab) => Promise<T>): Promise<T> {
  return onBrowser(context, place.vm, async (guest, signal, vmKey) => {
    const { tabs } = context;
    const before = tabs.current(vmKey);
    const tab = place.tab ?? before ?? (await firstTab(context, guest, vmKey, signal));
    using _held = tabs.hold(vmKey, tab);
    try {
      await tabs.begin(vmKey, tab, () => record(guest, tab, signal));
      if (!signal.aborted) tabs.use(vmKey, tab);
      return await work({ guest, tab, signal });
    } catch (thrown) {
      if (thrown instanceof HypeError && thrown.code === "tab_not_found") {
        tabs.forget(vmKey, tab);
        if (before !== null && before !== tab) tabs.use(vmKey, before); // another was named, wrongly: the caller keeps its own
      }
      throw thrown;
    }
  });
}

/** A search that another call began may end with that call: then this one searches itself. */
async function firstTab(context: ToolContext, guest: Guest, vmKey: string, signal: AbortSignal): Promise<string> {
  for (;;)
    try {
      return await context.tabs.first(vmKey, () => freeTab(context, guest, vmKey, signal));
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof HypeError) || thrown.code !== "cancelled") throw thrown;
    }
}

/** The tab in use if nobody has it, else any other, else a new one behind it. */
async function freeTab(
  { tabs, house }: ToolContext,
  guest: Guest,
  vmKey: string,
  signal: AbortSignal,
): Promise<string> {
  const { items } = await guest.tabs(signal);
  const taken = tabs.ofOthers(vmKey);
  const free = items.filter(({ id }) => !taken.has(id));
  const found = tabs.current(vmKey) ?? (free.find(({ active }) => active) ?? free[0])?.id;
  if (found !== undefined) {
    tabs.use(vmKey, found); // at once: the next caller must see it
    return found;
  }
  tabs.makeRoom(vmKey);
  const { tab } = await guest.openTab(v.parse(OpenTab, { background: true }), signal);
  tabs.opened(vmKey, tab, givenBack(house, guest, vmKey, tab));
  tabs.use(vmKey, tab);
  return tab;
}

/** How a tab that was opened for a caller goes back. */
export function givenBack(house: House, guest: Guest, vmKey: string, tab: string): GivenBack {
  const [vm = ""] = vmKey.split("/");
  return {
    mayClose: () => !isInHand(house, vm),
    close: () => guest.closeTab(v.parse(TabOf, { tab }), AbortSignal.timeout(END_MS)),
  };
}

/** What a person looks at is not closed under their hands. */
function isInHand(house: House, vm: string): boolean {
  try {
    return house.get(vm).control !== null;
  } catch {
    return false;
  }
}

/** A page that cannot be recorded can still be used. @returns what ends the recording, but for what others had begun before */
async function record({ observe }: Guest, tab: string, signal: AbortSignal): Promise<() => void> {
  try {
    const before = await observe.stop({ ...RECORDED, kinds: [], tab }, signal); // stops nothing, tells what runs
    await observe.start({ ...RECORDED, tab }, signal);
    const kinds = RECORDED.kinds.filter((kind) => !before.tabs[tab]?.includes(kind));
    return () => void observe.stop({ ...RECORDED, kinds, tab }, AbortSignal.timeout(END_MS)).catch(() => {});
  } catch (thrown) {
    if (!(thrown instanceof HypeError) || thrown.code === "cancelled" || thrown.code === "tab_not_found") throw thrown;
    return () => {};
  }
}

/** A signal that fires when its scope is left: what was opened and not read to its end is closed with it. */
export function untilDisposed(): Disposable & { signal: AbortSignal } {
  const scope = new AbortController();
  return { signal: scope.signal, [Symbol.dispose]: () => scope.abort() };
}
