import { type Control, HypeError, type Vm } from "../../contract/index.ts";
import type { EngineApi } from "../../engine/types.ts";

const TOLD: ReadonlySet<string> = new Set(["VM_CONTROL_TAKEN", "VM_CONTROL_RETURNED", "VM_DELETED"]);

/**
 * Waits until somebody has control of a VM, or nobody has, for at most `timeoutMs`.
 * @returns who has it then; whether it came about is to be seen from that. A VM that is deleted meanwhile is in nobody's hands.
 * @throws HypeError vm_not_found when there is no such VM at the beginning
 */
export async function whenControl(
  engine: Pick<EngineApi, "get" | "subscribe">,
  ref: string,
  isTaken: boolean,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Control | null> {
  const { id } = engine.get(ref);
  const controlNow = () => {
    try {
      return engine.get(id).control;
    } catch {
      return null;
    }
  };
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    const events = engine.subscribe(null, AbortSignal.any([signal, stop.signal])); // before looking: nothing is missed
    if ((controlNow() !== null) === isTaken) return controlNow();
    for await (const event of events)
      if (event.vm_id === id && TOLD.has(event.type))
        if ((controlNow() !== null) === isTaken || event.type === "VM_DELETED") break;
    return controlNow();
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** Aborts when the VM is paused: nothing comes from it any more, and whoever watches is to know why. Ends with `signal`. */
export function whenPaused(
  engine: Pick<EngineApi, "subscribe">,
  vm: Pick<Vm, "id" | "name">,
  signal: AbortSignal,
): AbortSignal {
  const paused = new AbortController();
  const listen = async () => {
    for await (const event of engine.subscribe(null, signal))
      if (event.vm_id === vm.id && event.type === "VM_PAUSED")
        return paused.abort(new HypeError("vm_not_running", `${vm.name} is paused`));
  };
  listen().catch(() => {}); // too slow a reader, or shutting down: the picture stands still, no more
  return paused.signal;
}
