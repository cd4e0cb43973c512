import { HypeError } from "../../contract/index.ts";
import type { EngineApi } from "../../engine/types.ts";
import type { Guest } from "../../guest/guest.ts";
import type { ServerContext } from "../context.ts";

type Parts = Pick<ServerContext, "closing"> & { engine: Pick<EngineApi, "get" | "guest" | "whenGone" | "subscribe"> };
/** What is under way on a VM's browser. */
export type Use = Disposable & {
  guest: Guest;
  /** Fires with the caller's signals, and with the VM. */
  signal: AbortSignal;
  /** Fires only when the VM can no longer be used. */
  gone: AbortSignal;
  /** What to tell of something thrown: where the VM ended, that is the reason, not the wire that fell silent with it. */
  why(thrown: unknown): unknown;
};

/**
 * The way to a VM's browser for as long as it can be used. A guest that was paused, killed or cut off closes no connection: whoever
 * waits for its answer is told by this, at once. To be disposed of when the answer is there.
 * @throws HypeError vm_not_found | vm_not_running
 */
export function useBrowser(context: Parts, ref: string, ...callers: AbortSignal[]): Use {
  const { engine } = context;
  const { id, name } = engine.get(ref);
  const over = new AbortController();
  const gone = new AbortController();
  const vm = engine.whenGone(id).signal;
  const forget = pausesOf(context).listen(id, () => end(new HypeError("vm_not_running", `${name} is paused`)));
  const end = (reason: unknown) => {
    gone.abort(reason);
    over.abort(reason);
  };
  const onGone = () => end(vm.reason);
  const onLeft = () => over.abort(callers.find(({ aborted }) => aborted)?.reason);
  const use: Use = {
    guest: null as never,
    signal: over.signal,
    gone: gone.signal,
    why: (thrown) =>
      gone.signal.aborted && !callers.some(({ aborted }) => aborted) ? (gone.signal.reason as unknown) : thrown,
    [Symbol.dispose]() {
      forget();
      vm.removeEventListener("abort", onGone);
      for (const caller of callers) caller.removeEventListener("abort", onLeft);
    },
  };
  vm.addEventListener("abort", onGone, { once: true });
  for (const caller of callers) caller.addEventListener("abort", onLeft, { once: true });
  try {
    use.guest = engine.guest(id); // after listening: a pause is either seen here or told of
  } catch (thrown) {
    use[Symbol.dispose]();
    throw thrown;
  }
  if (callers.some(({ aborted }) => aborted)) onLeft();
  return use;
}

/**
 * Asks a VM's browser for one thing.
 * @throws HypeError vm_not_found | vm_not_running, and whatever `work` throws
 */
export async function whileUsable<T>(
  context: Parts,
  ref: string,
  caller: AbortSignal,
  work: (guest: Guest, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using use = useBrowser(context, ref, caller);
  try {
    return await work(use.guest, use.signal);
  } catch (thrown) {
    throw use.why(thrown);
  }
}

/** Tells of pauses, by one subscription for all that is under way: a subscription of each would be paid on every click. */
class Pauses {
  readonly #listeners = new Map<string, Set<() => void>>();
  #isFollowing = false;

  constructor(private readonly parts: Parts) {}

  listen(vmId: string, onPause: () => void): () => void {
    const ofVm = this.#listeners.get(vmId) ?? new Set();
    this.#listeners.set(vmId, ofVm.add(onPause));
    if (!this.#isFollowing) void this.#follow();
    return () => {
      ofVm.delete(onPause);
      if (ofVm.size === 0 && this.#listeners.get(vmId) === ofVm) this.#listeners.delete(vmId);
    };
  }

  /** From the first use until the server closes; begun anew by the next use when it broke off. */
  async #follow(): Promise<void> {
    this.#isFollowing = true;
    try {
      for await (const { type, vm_id } of this.parts.engine.subscribe(null, this.parts.closing))
        if (type === "VM_PAUSED") for (const onPause of this.#listeners.get(vm_id) ?? []) onPause();
    } catch {
      // too far behind, or shutting down
    } finally {
      this.#isFollowing = false;
    }
  }
}

const known = new WeakMap<object, Pauses>();
function pausesOf(context: Parts): Pauses {
  const pauses = known.get(context.engine) ?? new Pauses(context);
  known.set(context.engine, pauses);
  return pauses;
}
